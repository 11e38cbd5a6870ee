import type { Key, KeyedStream, Stream } from '@millrace/core';
import { broadcast, global, keyBy, partitionBy, rebalance, rescale } from '@millrace/operators';
import type { Item, KeyKind, StepPlan, Way } from './random-graph-plan.js';

/** Of two numbers another one, which tells them. */
export const mix = (a: number, b: number): number =>
  Math.imul(Math.imul(a ^ (b << 7), 0x9e3779b1) ^ (b + (a >>> 11)), 0x85ebca6b) >>> 0;

/** Sums that depend on no order: whole numbers below 2³². */
export const plus = (a: number, b: number): number => (a + b) >>> 0;

export const hashOf = (key: Key): number =>
  [...JSON.stringify(key)].reduce((all, c) => mix(all, c.charCodeAt(0)), 7);

export const keyFunctions: Readonly<Record<KeyKind, (item: Item) => Key>> = {
  number: ({ id }) => id % 7,
  string: ({ id }) => `key ${id % 5}`,
  tuple: ({ id }) => [id % 3, `k${id % 2}`],
  mixed: ({ id }) => [null, true, 'text', -1.5][id % 4]!,
};

/** Throws at a fifth of the records. */
export function refuse(item: Item): Item {
  if (item.id % 5 === 2) throw new RangeError('refused');
  return item;
}

/** Dead letters that nobody reads are an error: such records are skipped. */
export const actionOf = ({ policy, sides }: StepPlan): 'deadLetter' | 'skip' =>
  (sides & 28) === 0 ? 'skip' : policy;

/** None where nothing fails: two phases want `fail`. */
export const policyOf = (step: StepPlan) =>
  step.refuses === 'nothing' ? {} : { onError: { action: actionOf(step), ceiling: 1 } as never };

/** For operators whose number of subtasks cannot be said. */
export const notToAll = (way: Way): Way => (way === 'broadcast' ? 'rebalance' : way);

/** The stream as an operator reads it. */
export function moved(stream: Stream<Item>, way: Way, key: KeyKind): Stream<Item> {
  switch (way) {
    case 'asIs':
      return stream;
    case 'key':
      return stream.pipe(keyBy(keyFunctions[key]));
    case 'keyTwice':
      return stream.pipe(
        keyBy((r) => r.id % 2),
        keyBy(keyFunctions[key]),
      );
    case 'custom':
      return stream.pipe(partitionBy((r, parallelism) => r.id % parallelism));
    default:
      return stream.pipe({ rebalance, rescale, global, broadcast }[way]());
  }
}

/** With keys, whatever it was; the key function throws where the step says so. */
export function keyed(stream: Stream<Item>, { key, refuses }: StepPlan): KeyedStream<Item, Key> {
  const keyOf = keyFunctions[key];
  return stream.pipe(keyBy<Item, Key>((r) => keyOf(refuses === 'keys' ? refuse(r) : r)));
}
