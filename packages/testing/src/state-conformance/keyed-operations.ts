import type { Key } from '@millrace/core/spi';
import { compareKeysOf } from './key-order.js';
import { idOf, type StateModel } from './state-model.js';
import type { StateRig } from './state-rig.js';

/** Keys of all types; few, so that histories collide. */
export const someKeys: readonly Key[] = [
  1,
  2,
  3,
  -0,
  0.5,
  NaN,
  'a',
  '\ud800',
  '\u0000b',
  4n,
  true,
  null,
  new Date(5),
  [1, 'x'],
];

/** What a change is about. */
interface Change {
  readonly key: Key;
  /** Another key, e.g. of an entry. */
  readonly entry: Key;
  readonly a: number;
  readonly b: number;
}

/** What a change does to a backend, and to the model. */
export interface Rule {
  on(rig: StateRig, change: Change): unknown;
  model(model: StateModel, change: Change): unknown;
}

export const rule = (on: Rule['on'], model: Rule['model']): Rule => ({ on, model });

/** Changes of keyed and broadcast state, which can be undone. */
export const keyedOperations = {
  setValue: rule(
    (rig, { key, a }) => rig.at(key).value.set({ a }),
    (model, { key, a }) => model.set('value', key, { a }),
  ),
  clearValue: rule(
    (rig, { key }) => rig.at(key).value.clear(),
    (model, { key }) => model.set('value', key, undefined),
  ),
  setBox: rule(
    (rig, { key, a }) => rig.at(key).box.set([a]),
    (model, { key, a }) => model.set('box', key, [a]),
  ),
  changeBox: rule(
    (rig, { key, a }) => rig.at(key).box.get()?.push(a),
    (model, { key, a }) => {
      const box = model.get<number[]>('box', key);
      if (box !== undefined) model.set('box', key, [...box, a]);
    },
  ),
  addToList: rule(
    (rig, { key, a }) => rig.at(key).list.add(a),
    (model, { key, a }) => model.set('list', key, [...(model.get<number[]>('list', key) ?? []), a]),
  ),
  setList: rule(
    (rig, { key, a, b }) => rig.at(key).list.set(b > 2 ? [a, b] : []),
    (model, { key, a, b }) => model.set('list', key, b > 2 ? [a, b] : undefined),
  ),
  setEntry: rule(
    (rig, { key, entry, b }) => rig.at(key).map.set(entry, b),
    (model, { key, entry, b }) => model.setEntry('map', key, entry, b),
  ),
  deleteEntry: rule(
    (rig, { key, entry }) => rig.at(key).map.delete(entry),
    (model, { key, entry }) => model.keepEntries('map', key, (k) => idOf(k) !== idOf(entry)),
  ),
  clearMap: rule(
    (rig, { key }) => rig.at(key).map.clear(),
    (model, { key }) => model.set('map', key, undefined),
  ),
  setBoxes: rule(
    (rig, { key, entry, b }) => rig.at(key).boxes.set(entry, [b]),
    (model, { key, entry, b }) => model.setEntry('boxes', key, entry, [b]),
  ),
  changeBoxes: rule(
    (rig, { key, b }) => {
      for (const [, box] of rig.at(key).boxes.entries()) box.push(b);
    },
    (model, { key, b }) => {
      for (const [entry, box] of model.entries('boxes', key)) {
        model.setEntry('boxes', key, entry, [...(box as number[]), b]);
      }
    },
  ),
  setSorted: rule(
    (rig, { key, entry, b }) => rig.at(key).sorted.set(entry, b),
    (model, { key, entry, b }) => model.setEntry('sorted', key, entry, b),
  ),
  deleteSorted: rule(
    (rig, { key, entry }) => rig.at(key).sorted.delete(entry),
    (model, { key, entry }) => model.keepEntries('sorted', key, (k) => idOf(k) !== idOf(entry)),
  ),
  deleteRange: rule(
    (rig, { key, a, b }) => rig.at(key).sorted.deleteRange(someKeys[a], someKeys[b]),
    (model, { key, a, b }) =>
      model.keepEntries(
        'sorted',
        key,
        (k) => compareKeysOf(k, someKeys[a]!) < 0 || compareKeysOf(k, someKeys[b]!) >= 0,
      ),
  ),
  readRange: rule(
    (rig, { key, a, b }) => [...rig.at(key).sorted.range(someKeys[a], someKeys[b])],
    (model, { key, a, b }) =>
      model
        .entries('sorted', key)
        .filter(([k]) => compareKeysOf(k, someKeys[a]!) >= 0 && compareKeysOf(k, someKeys[b]!) < 0)
        .toSorted(([k], [l]) => compareKeysOf(k, l)),
  ),
  addToSum: rule(
    (rig, { key, a }) => rig.at(key).sum.add(a),
    (model, { key, a }) => model.set('sum', key, (model.get<number>('sum', key) ?? 0) + a),
  ),
  clearSum: rule(
    (rig, { key }) => rig.at(key).sum.clear(),
    (model, { key }) => model.set('sum', key, undefined),
  ),
  addText: rule(
    (rig, { key, a }) => rig.at(key).texts.add(`${a}`),
    (model, { key, a }) =>
      model.set('texts', key, [...(model.get<string[]>('texts', key) ?? []), `${a}`]),
  ),
  setRule: rule(
    (rig, { entry, a, b }) => rig.rules.set(entry, [a, b]),
    (model, { entry, a, b }) => model.setRule(entry, [a, b]),
  ),
  deleteRule: rule(
    (rig, { entry }) => rig.rules.delete(entry),
    (model, { entry }) => {
      model.rules = model.rules.filter(([key]) => idOf(key) !== idOf(entry));
    },
  ),
  clearRules: rule(
    (rig, { b }) => (b < 2 ? rig.rules.clear() : undefined),
    (model, { b }) => {
      if (b < 2) model.rules = [];
    },
  ),
  setTimer: rule(
    (rig, { key, a, b }) => {
      rig.keyed.setKey(key);
      timerOf(rig, b).set(a % 4);
    },
    (model, { key, a, b }) => {
      const { kind, name } = timerNames[b % 3]!;
      const isThere = model.timers.some((timer) => isOf(timer, key, b) && timer.atMs === a % 4);
      if (!isThere) model.timers = [...model.timers, { kind, name, key, atMs: a % 4 }];
    },
  ),
  deleteTimer: rule(
    (rig, { key, a, b }) => {
      rig.keyed.setKey(key);
      timerOf(rig, b).delete(a % 4);
    },
    (model, { key, a, b }) => {
      model.timers = model.timers.filter((timer) => !(isOf(timer, key, b) && timer.atMs === a % 4));
    },
  ),
  clearTimers: rule(
    (rig, { key, b }) => {
      rig.keyed.setKey(key);
      timerOf(rig, b).clear();
    },
    (model, { key, b }) => {
      model.timers = model.timers.filter((timer) => !isOf(timer, key, b));
    },
  ),
};

const timerNames = [
  { kind: 'event', name: 'a' },
  { kind: 'event', name: 'b' },
  { kind: 'processing', name: 'a' },
] as const;

function timerOf(rig: StateRig, b: number) {
  const { kind, name } = timerNames[b % 3]!;
  return rig.timers[kind][name]!;
}

function isOf(timer: { kind: string; name: string; key: Key }, key: Key, b: number): boolean {
  const { kind, name } = timerNames[b % 3]!;
  return timer.kind === kind && timer.name === name && idOf(timer.key) === idOf(key);
}
