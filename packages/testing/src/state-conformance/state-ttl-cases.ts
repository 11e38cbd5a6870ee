import assert from 'node:assert/strict';
import type {
  ListState,
  MapState,
  StateDescriptor,
  StateTtl,
  ValueState,
} from '@millrace/core/spi';
import { allGroups, type CreateBackend, freeze, groupCount, loadChain } from './state-rig.js';

type Case = (create: CreateBackend) => Promise<void>;

/** Keyed state of all kinds with a time to live of 10 ms, and the clocks it goes by. */
async function rigOf(create: CreateBackend, options: Partial<StateTtl> = {}) {
  const backend = await create({ tracking: 'tracked', groupCount, groups: allGroups });
  const ttl: StateTtl = {
    durationMs: 10,
    time: 'processing',
    refreshOn: 'write',
    expired: 'hidden',
    ...options,
  };
  const time = { record: 0, watermark: -Infinity, processing: 0 };
  const clock = {
    recordMs: () => time.record,
    watermarkMs: () => time.watermark,
    processingMs: () => time.processing,
  };
  const of = (kind: StateDescriptor['kind']): StateDescriptor => ({ kind, version: 1, ttl });
  const declared = { value: of('value'), list: of('list'), map: of('map'), sum: sumOf(ttl) };
  const access = backend.keyedState('op', declared, clock);
  const handles = access.handles as unknown as {
    value: ValueState<number>;
    list: ListState<number>;
    map: MapState<string, number>;
    sum: { add(n: number): void; get(): number };
  };
  const at = (key: number) => {
    access.setKey(key);
    return handles;
  };
  return { backend, access, time, at };
}

const sumOf = (ttl: StateTtl): StateDescriptor => ({
  kind: 'reducing',
  version: 1,
  ttl,
  reduce: (a: number, b: number) => a + b,
});

/** Records of another key, in the course of which what has expired is removed. */
function workOn(rig: Awaited<ReturnType<typeof rigOf>>, records: number): void {
  for (let i = 0; i < records; i += 1) rig.at(-1);
}

/** State with a time to live. */
export const ttlCases: Readonly<Record<string, Case>> = {
  'state is hidden when its time has come, by event time': async (create) => {
    const { at, time } = await rigOf(create, { time: 'event' });
    time.record = 100;
    at(1).value.set(1);
    at(1).sum.add(1);
    time.watermark = 109;
    time.record = 500;
    time.processing = 10_000;
    assert.deepEqual([at(1).value.get(), at(1).sum.get()], [1, 1]);
    time.watermark = 110;
    assert.deepEqual([at(1).value.get(), at(1).sum.get()], [undefined, undefined]);
    at(1).sum.add(5);
    assert.equal(at(1).sum.get(), 5);
  },
  'elements and entries expire by themselves, by processing time': async (create) => {
    const { at, time } = await rigOf(create);
    at(1).list.add(1);
    at(1).map.set('a', 1);
    time.processing = 5;
    at(1).list.add(2);
    at(1).map.set('b', 2);
    time.processing = 10;
    assert.deepEqual(at(1).list.get(), [2]);
    assert.deepEqual([...at(1).map.entries()], [['b', 2]]);
    assert.deepEqual(
      [at(1).map.has('a'), at(1).map.get('a'), at(1).map.size],
      [false, undefined, 1],
    );
    at(1).map.set('a', 3);
    assert.deepEqual([...at(1).map.entries()].flat(), ['b', 2, 'a', 3]);
  },
  'what has expired and is set again is new, whether or not it was removed': async (create) => {
    const { at, time } = await rigOf(create);
    // No other record comes in between, in whose course it could be removed.
    const { map, list } = at(1);
    map.set('a', 1);
    list.add(1);
    time.processing = 5;
    map.set('b', 2);
    time.processing = 10;
    map.set('a', 3);
    list.add(3);
    assert.deepEqual([...map.entries()].flat(), ['b', 2, 'a', 3]);
    assert.deepEqual([map.size, list.get()], [2, [3]]);
  },
  'what is read becomes new where it is to, and never older': async (create) => {
    for (const refreshOn of ['write', 'readAndWrite'] as const) {
      const { at, time } = await rigOf(create, { refreshOn, time: 'event' });
      const read = () => [
        at(1).value.get(),
        at(1).list.get().length,
        at(1).map.get('a'),
        [...at(1).map.entries()].length,
      ];
      time.record = 8;
      at(1).value.set(1);
      at(1).list.add(1);
      at(1).map.set('a', 1);
      at(1).map.set('b', 1);
      time.record = 3;
      read();
      time.watermark = 17;
      assert.deepEqual(read(), [1, 1, 1, 2]);
      time.record = 15;
      read();
      time.watermark = 18;
      const left = refreshOn === 'write' ? [undefined, 0, undefined, 0] : [1, 1, 1, 2];
      assert.deepEqual(read(), left, refreshOn);
    }
  },
  'what has expired is given out until it is removed, where it may be': async (create) => {
    const rig = await rigOf(create, { expired: 'visible' });
    const { at, time } = rig;
    // Many rows, so that it takes a while until this one is looked at.
    for (let key = 0; key < 100; key += 1) at(key).value.set(key);
    at(99).list.add(1);
    time.processing = 10;
    assert.deepEqual([at(99).value.get(), at(99).list.get()], [99, [1]]);
    workOn(rig, 200);
    assert.deepEqual([at(99).value.get(), at(99).list.get()], [undefined, []]);
  },
  'what nobody touches again is removed while others are worked on': async (create) => {
    const rig = await rigOf(create);
    const { at, time, backend, access } = rig;
    const kinds = ['value', 'list', 'map'] as const;
    for (let key = 0; key < 300; key += 1) {
      at(key).value.set(key);
      for (let i = 0; i < 5; i += 1) {
        at(key).list.add(i);
        at(key).map.set(`${i}`, i);
      }
    }
    const full = backend.bytesOf('op');
    const chain = [freeze(backend).finish()];
    time.processing = 10;
    at(1_000).value.set(1);
    at(1_000).list.add(1);
    at(1_000).map.set('a', 1);
    workOn(rig, 3_000);
    assert.equal(access.keyCount, 1);
    assert.ok(backend.bytesOf('op') < full / 4, `${backend.bytesOf('op')} of ${full} bytes`);
    const delta = freeze(backend).finish();
    backend.abandon();
    const whole = freeze(backend).finish();
    assert.ok(whole.length < chain[0]!.length / 10, `${whole.length} of ${chain[0]!.length} bytes`);
    for (const segments of [[whole], [...chain, delta]]) {
      const again = await rigOf(create);
      await loadChain(again.backend, segments);
      assert.equal(again.access.keyCount, 1);
      assert.deepEqual(kinds.length, 3);
    }
  },
  'what was removed counts for nothing, however often keys come and go': async (create) => {
    const rig = await rigOf(create);
    const { at, time, backend, access } = rig;
    const left: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let key = 0; key < 50; key += 1) {
        for (const entry of ['a', 'b', 'c']) at(key).map.set(entry, key);
        for (const element of [1, 2, 3]) at(key).list.add(element);
      }
      time.processing += 10;
      workOn(rig, 500);
      assert.equal(access.keyCount, 0);
      left.push(backend.bytesOf('op'));
    }
    assert.deepEqual(left, [left[0], left[0], left[0]]);
  },
  'a key that gets many entries with each record keeps few, and holds up no other': async (
    create,
  ) => {
    const { at, time, backend, access } = await rigOf(create);
    at(1).value.set(1);
    const bytes: number[] = [];
    for (let record = 0; record < 2_000; record += 1) {
      time.processing = record;
      const { map, list } = at(2);
      for (let i = 0; i < 20; i += 1) {
        map.set(`${record} ${i}`, i);
        list.add(i);
      }
      bytes.push(backend.bytesOf('op'));
    }
    assert.equal(access.keyCount, 1);
    const [early, late] = [Math.max(...bytes.slice(0, 200)), Math.max(...bytes.slice(-200))];
    assert.ok(late <= early, `${late} bytes late, ${early} early`);
  },
  'old entries of one large map or list are removed, and young ones stay': async (create) => {
    const rig = await rigOf(create);
    const { at, time, backend } = rig;
    for (let i = 0; i < 1_000; i += 1) {
      at(1).map.set(`old ${i}`, i);
      at(1).list.add(i);
    }
    const full = backend.bytesOf('op');
    const { length } = freeze(backend).finish();
    time.processing = 9;
    at(1).map.set('young', 1);
    at(1).list.add(-1);
    time.processing = 12;
    workOn(rig, 3_000);
    assert.ok(backend.bytesOf('op') < full / 50, `${backend.bytesOf('op')} of ${full} bytes`);
    const delta = freeze(backend).finish();
    backend.abandon();
    assert.ok(freeze(backend).finish().length < length / 10);
    assert.ok(delta.length < length);
    assert.deepEqual([[...at(1).map.entries()], at(1).list.get()], [[['young', 1]], [-1]]);
  },
  'a sweep finds nothing to write where nothing has expired': async (create) => {
    const rig = await rigOf(create);
    for (let key = 0; key < 100; key += 1) {
      rig.at(key).value.set(key);
      rig.at(key).map.set('a', key);
      rig.at(key).list.add(key);
    }
    freeze(rig.backend).finish();
    const empty = freeze(rig.backend).finish();
    workOn(rig, 1_000);
    assert.equal(freeze(rig.backend).finish().length, empty.length);
  },
  'state from before there was a time to live is new when it is seen': async (create) => {
    const plain = await create({ tracking: 'tracked', groupCount, groups: allGroups });
    const of = (kind: StateDescriptor['kind']): StateDescriptor => ({ kind, version: 1 });
    const declared = { value: of('value'), list: of('list'), map: of('map') };
    const clock = { recordMs: () => 0, watermarkMs: () => 0, processingMs: () => 0 };
    const before = plain.keyedState('op', declared, clock);
    before.setKey(1);
    const { value, list, map } = before.handles as {
      value: ValueState<number>;
      list: ListState<number>;
      map: MapState<string, number>;
    };
    value.set(1);
    list.add(1);
    map.set('a', 1);
    const rig = await rigOf(create, { time: 'event' });
    await loadChain(rig.backend, [freeze(plain).finish()]);
    const { time, at } = rig;
    const read = () => [at(1).value.get(), at(1).list.get(), at(1).map.get('a')];
    time.record = 1_000;
    time.watermark = 1_000;
    assert.deepEqual(read(), [1, [1], 1]);
    workOn(rig, 20);
    time.watermark = 1_009;
    assert.deepEqual(read(), [1, [1], 1]);
    time.watermark = 1_010;
    assert.deepEqual(read(), [undefined, [], undefined]);
  },
  'what is written or read while there is no event time is new when there is': async (create) => {
    for (const noTime of [-Infinity, Infinity]) {
      const rig = await rigOf(create, { time: 'event', refreshOn: 'readAndWrite' });
      const { time, at, backend } = rig;
      const read = () => [at(1).value.get(), at(1).list.get(), at(1).map.get('a')];
      time.record = noTime;
      time.watermark = noTime;
      at(1).value.set(1);
      at(1).list.add(1);
      at(1).map.set('a', 1);
      assert.deepEqual(read(), [1, [1], 1]);
      workOn(rig, 20);
      freeze(backend).finish();
      const { length } = freeze(backend).finish();
      workOn(rig, 20);
      assert.equal(freeze(backend).finish().length, length);
      time.record = 100;
      time.watermark = 100;
      workOn(rig, 20);
      // Without an event time again, what has one keeps it.
      time.record = -Infinity;
      assert.deepEqual(read(), [1, [1], 1]);
      time.watermark = 109;
      assert.deepEqual(read(), [1, [1], 1]);
      time.watermark = 110;
      assert.deepEqual(read(), [undefined, [], undefined]);
    }
  },
  'a failing record leaves the times as they were': async (create) => {
    const { access, at, time } = await rigOf(create, { refreshOn: 'readAndWrite' });
    at(1).value.set(1);
    at(1).map.set('a', 1);
    at(1).list.add(1);
    time.processing = 5;
    access.begin();
    at(1).value.get();
    at(1).map.get('a');
    at(1).list.get();
    access.rollback();
    time.processing = 10;
    assert.deepEqual(
      [at(1).value.get(), at(1).map.get('a'), at(1).list.get()],
      [undefined, undefined, []],
    );
  },
};
