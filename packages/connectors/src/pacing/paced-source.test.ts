import type { Env, SourceReader } from '@millrace/core/spi';
import { type VirtualEnv, virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { pacedSource } from './paced-source.js';

/** Numbers from the split's position on, for ever. */
function endless() {
  let next = 0;
  const reader: SourceReader<number> = {
    addSplits: ([split]) => {
      next = (split?.position as number | undefined) ?? 0;
    },
    noMoreSplits: () => undefined,
    poll: (max) => {
      const values = Array.from({ length: max }, (_, index) => next + index);
      next += max;
      return { split: 's', values, start: 0, count: max };
    },
    available: async () => undefined,
    pauseSplits: () => undefined,
    resumeSplits: () => undefined,
    snapshot: () => [{ id: 's', position: next }],
    isSplitEmpty: (id) => id === 'other',
  };
  return reader;
}

function pacedReader(env: Env, perSecond: number): SourceReader<number> {
  const source = {
    type: 'endless',
    replay: 'exact' as const,
    bounded: false,
    createEnumerator: () => ({
      discover: async () => ({ splits: [], end: true }),
      snapshot: () => null,
    }),
    createReader: endless,
  };
  return pacedSource(source, perSecond).createReader(testContext(env));
}

/** Lets promises that are due be followed up. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Reads as the engine does for a time, looking every few ms. */
function readFor(ms: number, reader: SourceReader<number>, env: VirtualEnv): number[] {
  const values: number[] = [];
  for (let passed = 0; passed < ms; passed += 5) {
    env.advance(5);
    for (let chunk = reader.poll(512); chunk !== undefined; chunk = reader.poll(512)) {
      if (chunk !== 'end') values.push(...chunk.values);
    }
  }
  return values;
}

test('gives as many records a second as it was told', () => {
  const env = virtualEnv();
  const reader = pacedReader(env, 2_000);
  expect(readFor(1_000, reader, env)).toHaveLength(2_000);
  expect(readFor(500, reader, env)).toHaveLength(1_000);
});

test('does not make up for a rest', () => {
  const env = virtualEnv();
  const reader = pacedReader(env, 1_000);
  env.advance(60_000);
  expect(readFor(100, reader, env).length).toBeLessThanOrEqual(120);
});

test('is available when the next record is due, and not before', async () => {
  const env = virtualEnv();
  const reader = pacedReader(env, 10);
  let isAvailable = false;
  void reader.available().then(() => {
    isAvailable = true;
  });
  await settled();
  env.advance(99);
  await settled();
  expect(isAvailable).toBe(false);
  env.advance(1);
  await settled();
  expect(isAvailable).toBe(true);
  expect(reader.poll(512)).toMatchObject({ count: 1 });
});

test.each([
  ['waits for the next record', settled],
  ['begins to wait', () => undefined],
])('leaves no timer behind when it is closed while it %s', async (_name, before) => {
  const env = virtualEnv();
  const timers = new Set<object>();
  const scheduler: Env['scheduler'] = {
    ...env.scheduler,
    after: () => {
      const timer = { cancel: () => void timers.delete(timer) };
      timers.add(timer);
      return timer;
    },
  };
  const reader = pacedReader({ ...env, scheduler }, 0.001);
  void reader.available();
  await before();
  await reader.close?.();
  await settled();
  expect(timers.size).toBe(0);
});

test.each([Infinity, 0, -1, Number.NaN])('refuses a rate of %d', (rate) => {
  expect(() => pacedReader(virtualEnv(), rate)).toThrow('ERR_INVALID_OPTION');
});

test('says what its source knows of empty splits, not what it holds back itself', () => {
  const reader = pacedReader(virtualEnv(), 10);
  expect(reader.poll(512)).toBeUndefined();
  expect([reader.isSplitEmpty!('s'), reader.isSplitEmpty!('other')]).toEqual([false, true]);
});

test('goes on where a snapshot stood', () => {
  const env = virtualEnv();
  const first = pacedReader(env, 1_000);
  const before = readFor(50, first, env);
  const second = pacedReader(env, 1_000);
  second.addSplits(first.snapshot());
  const after = readFor(50, second, env);
  expect(after[0]).toBe(before.at(-1)! + 1);
});
