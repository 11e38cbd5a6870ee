import assert from 'node:assert/strict';
import type { Key } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import fc from 'fast-check';
import { keyedOperations, type Rule, rule, someKeys } from './keyed-operations.js';
import { idOf, type Stamped, type StateModel } from './state-model.js';
import type { StateRig } from './state-rig.js';

/** Keys that come and go together, so that tables and indexes grow. */
export const manyKeys: readonly Key[] = Array.from({ length: 100 }, (_, i) =>
  i % 3 === 0 ? `many ${i}` : 1_000 + i,
);

/** One change of state, with what it is about. */
export interface Operation {
  readonly name: keyof typeof operations | 'undone';
  readonly key: number;
  readonly a: number;
  readonly b: number;
  /** What is done and then undone. */
  readonly undone: readonly Operation[];
}

const nowOf = (model: StateModel): number => model.time.processingMs;

const otherOperations = {
  takeDue: rule(
    (rig, { a, b }) => rig.keyed[b > 3 ? 'eventTimers' : 'processingTimers'].takeDue(a),
    (model, { a, b }) => {
      const due = model.takeDue(b > 3 ? 'event' : 'processing', a);
      return due && { name: due.name, key: due.key, atMs: due.atMs };
    },
  ),
  addRow: rule(
    (rig, { key, a, b }) => {
      const table = rig.tables.open(b % 3);
      const slot = touched(table, key);
      table.numbers[slot * table.numberStride] = a + table.numbers[slot * table.numberStride]!;
      (table.refs[slot * table.refStride] as number[]).push(a);
    },
    (model, { key, a, b }) => {
      const row = model.get<{ numbers: number[]; refs: number[][] }>(`tables ${b % 3}`, key);
      const { numbers, refs } = row ?? { numbers: [0, NaN], refs: [[]] };
      const changed = { numbers: [numbers[0]! + a, numbers[1]], refs: [[...refs[0]!, a]] };
      model.set(`tables ${b % 3}`, key, changed);
    },
  ),
  addNumber: rule(
    (rig, { a, b }) => addNumber(rig, b % 3, b, a),
    (model, { a, b }) => modelNumber(model, b % 3, b, a),
  ),
  addNumbers: rule(
    (rig, { key, entry, a, b }) => addNumbers(rig, b % 3, [key, entry, key, b], a),
    (model, { key, entry, a, b }) => {
      for (const each of [key, entry, key, b]) modelNumber(model, b % 3, each, a);
    },
  ),
  addPair: rule(
    (rig, { key, a, b }) => {
      const table = rig.pairs.open(b % 2, -1);
      const slot = touched(table, [key, a]);
      table.numbers[slot * table.numberStride] = b;
    },
    (model, { key, a, b }) => model.set(`pairs ${b % 2},-1`, [key, a], { numbers: [b], refs: [] }),
  ),
  removeRow: rule(
    (rig, { key, b }) => removeRow(rig.tables.open(b % 3), key),
    (model, { key, b }) => model.set(`tables ${b % 3}`, key, undefined),
  ),
  removeNumber: rule(
    (rig, { b }) => removeRow(rig.numbers.open(b % 3), b),
    (model, { b }) => model.set(`numbers ${b % 3}`, b, undefined),
  ),
  dropNamespace: rule(
    (rig, { b }) => {
      rig.tables.drop(b % 3);
      rig.numbers.drop(b % 3);
      rig.pairs.drop(b % 2, -1);
    },
    (model, { b }) => {
      model.drop(`tables ${b % 3}`);
      model.drop(`numbers ${b % 3}`);
      model.drop(`pairs ${b % 2},-1`);
    },
  ),
  advance: rule(
    (rig, { a, b }) => rig.times.advance(a + b),
    (model, { a, b }) => {
      model.times = model.times.map((time) => Math.max(time, a + b));
    },
  ),
  grow: rule(
    (rig, { a, b }) => {
      for (const key of manyKeys) {
        rig.rules.set(key, b);
        rig.at(key).value.set(a);
        const table = rig.tables.open(b % 3);
        const slot = touched(table, key);
        table.numbers[slot * table.numberStride] = a;
        if (typeof key === 'number') addNumber(rig, b % 3, key, a);
      }
    },
    (model, { a, b }) => {
      for (const key of manyKeys) {
        model.setRule(key, b);
        model.set('value', key, a);
        const row = model.get<{ refs: unknown[] }>(`tables ${b % 3}`, key);
        const changed = { numbers: [a, NaN], refs: row?.refs ?? [[]] };
        model.set(`tables ${b % 3}`, key, changed);
        if (typeof key === 'number') modelNumber(model, b % 3, key, a);
      }
    },
  ),
  shrink: rule(
    (rig, { b }) => {
      for (const key of manyKeys) {
        rig.rules.delete(key);
        rig.at(key).value.clear();
        removeRow(rig.tables.open(b % 3), key);
        removeRow(rig.numbers.open(b % 3), key);
      }
    },
    (model, { b }) => {
      model.rules = model.rules.filter(([key]) => !manyKeys.some((k) => idOf(k) === idOf(key)));
      for (const key of manyKeys) {
        model.set('value', key, undefined);
        model.set(`tables ${b % 3}`, key, undefined);
        model.set(`numbers ${b % 3}`, key, undefined);
      }
    },
  ),
  setLiving: rule(
    (rig, { key, entry, a }) => {
      const at = rig.ttlAt(key);
      if (a % 2 === 0) at.ttlValue.set(a);
      at.ttlList.add(a);
      at.ttlMap.set(entry, a);
    },
    (model, { key, entry, a }) => {
      const nowMs = nowOf(model);
      if (a % 2 === 0) model.set('ttlValue', key, [{ value: a, stampMs: nowMs }]);
      const list = [...model.living('ttlList', key, nowMs), { value: a, stampMs: nowMs }];
      model.set('ttlList', key, list);
      setLivingEntry(model, key, entry, a);
    },
  ),
  tick: rule(
    (rig, { a }) => tick(rig.time, a),
    (model, { a }) => tick(model.time, a),
  ),
};

const operations = { ...keyedOperations, ...otherOperations };

/** Does the same to both, and compares what it gives. */
export function operate(rig: StateRig, model: StateModel, operation: Operation): void {
  if (operation.name === 'undone') {
    const scratch = model.copy();
    rig.keyed.begin();
    rig.shared.begin();
    for (const each of operation.undone) operate(rig, scratch, each);
    rig.keyed.rollback();
    rig.shared.rollback();
    return;
  }
  const { on, model: inModel } = operations[operation.name] as Rule;
  const { a, b } = operation;
  const key = someKeys[operation.key]!;
  const entry = someKeys[a]!;
  const given = inModel(model, { key: readBack(key), entry: readBack(entry), a, b });
  const got = on(rig, { key, entry, a, b });
  if (given !== undefined || operation.name === 'takeDue') {
    assert.deepStrictEqual(got, given, operation.name);
  }
}

const plain = (name: fc.Arbitrary<string>, undone: fc.Arbitrary<readonly Operation[]>) =>
  fc.record({
    name,
    key: fc.nat(someKeys.length - 1),
    a: fc.nat(someKeys.length - 1),
    b: fc.nat(7),
    undone,
  }) as fc.Arbitrary<Operation>;

const nothing = fc.constant([]);
/** One key's, as those of a record are. */
const undoable = fc
  .tuple(
    fc.array(plain(fc.constantFrom(...Object.keys(keyedOperations)), nothing), { maxLength: 6 }),
    fc.nat(someKeys.length - 1),
  )
  .map(([all, key]) => all.map((each) => ({ ...each, key })));

export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: plain(fc.constantFrom(...Object.keys(keyedOperations)), nothing) },
  { weight: 6, arbitrary: plain(fc.constantFrom(...Object.keys(otherOperations)), nothing) },
  { weight: 2, arbitrary: plain(fc.constant('undone'), undoable) },
);

/** −0 and 0 are one key, which is read as 0. */
const readBack = (key: Key): Key => (key === 0 ? 0 : key);

type Table = ReturnType<StateRig['tables']['open']>;

/** The key's slot, about to be changed. */
function touched(table: Table, key: Key): number {
  const slot = table.slot(key);
  touchRow(table, slot);
  return slot;
}

function removeRow(table: Table, key: Key): void {
  const slot = table.find(key);
  if (slot >= 0) table.remove(slot);
}

function addNumber(rig: StateRig, namespace: number, key: Key, a: number): void {
  const table = rig.numbers.open(namespace);
  // Its numbers may be others once it has the slot.
  const slot = touched(table, key);
  table.numbers[slot * table.numberStride]! += a;
}

/** As loops over many keys do. */
function addNumbers(rig: StateRig, namespace: number, keys: readonly Key[], a: number): void {
  const table = rig.numbers.open(namespace);
  const slots = new Int32Array(keys.length);
  table.slotsOf(keys, 0, keys.length, slots);
  for (const at of slots) {
    const slot = at < 0 ? ~at : at;
    if (at >= 0) touchRow(table, slot);
    table.numbers[slot * table.numberStride]! += a;
  }
}

function modelNumber(model: StateModel, namespace: number, key: Key, a: number): void {
  const row = model.get<{ numbers: number[] }>(`numbers ${namespace}`, key);
  model.set(`numbers ${namespace}`, key, { numbers: [(row?.numbers[0] ?? 1) + a], refs: [] });
}

function setLivingEntry(model: StateModel, key: Key, entry: Key, value: unknown): void {
  const { recordMs, watermarkMs } = model.time;
  const living: Stamped = model.living('ttlMap', key, watermarkMs);
  const fresh = { key: entry, value, stampMs: recordMs };
  const at = living.findIndex((each) => idOf(each.key!) === idOf(entry));
  model.set('ttlMap', key, at < 0 ? [...living, fresh] : living.with(at, fresh));
}

function tick(time: StateModel['time'], a: number): void {
  time.processingMs += a % 5;
  time.recordMs += a % 4;
  time.watermarkMs = Math.max(time.watermarkMs, time.recordMs - 3);
}
