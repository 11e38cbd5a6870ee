import { coreLimits } from '@millrace/core/internal';
import { iteratorOf } from './iterator-of.js';

/**
 * Results once their iterator has ended, so that one that throws midway has given none; or once it
 * has given as many as may wait at once, `recordOutputRowsMax`: the rest is then taken in steps.
 */
export function endedFirst(results: Iterable<unknown>): Iterator<unknown> {
  const iterator = iteratorOf(results);
  const ahead: unknown[] = [];
  while (ahead.length < coreLimits.recordOutputRowsMax) {
    const next = iterator.next();
    if (next.done === true) return ahead.values();
    ahead.push(next.value);
  }
  return chained(ahead, iterator);
}

function* chained(ahead: readonly unknown[], rest: Iterator<unknown>): Generator<unknown> {
  yield* ahead;
  yield* { [Symbol.iterator]: () => rest };
}
