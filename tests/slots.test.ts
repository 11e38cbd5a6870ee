import { run } from '@millrace/runtime';
import { startJob } from '@millrace/runtime/internal';
import { MemorySpillStore } from '@millrace/state';
import { virtualEnv } from '@millrace/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { diskForJobs, linesOf, pass, start } from './durable-rig.js';
import { type SalesOptions, salesJob } from './slots-rig.js';

const total = 4_000;

/** Lines without the number of the subtask that wrote them, and without headers. */
const merged = (lines: readonly string[]): string[] =>
  lines
    .map((line) => line.replace(/-\d+\.csv: /, ': '))
    .filter((line) => !/: [a-z,]*$/.test(line))
    .sort();

async function outputOf(
  options: Partial<SalesOptions>,
  runOptions: Parameters<typeof start>[2] = {},
): Promise<string[]> {
  const disk = await diskForJobs();
  const process = start(disk, salesJob('/out', { total, ...options }), runOptions);
  await pass(process);
  await process.handle.done;
  return merged(await linesOf(disk));
}

let expected: string[];

beforeAll(async () => {
  expected = await outputOf({});
});

test('the job gives results of all kinds', () => {
  for (const kind of ['windows', 'levels', 'sessions', 'sums', 'moved']) {
    expect(expected.filter((line) => line.startsWith(`${kind}:`)).length).toBeGreaterThan(30);
  }
});

describe('results are the same', () => {
  test.each([2, 3, 4])('in %i slots', async (slots) => {
    expect(await outputOf({}, { slots })).toEqual(expected);
  });

  test('with more subtasks than slots', async () => {
    expect(await outputOf({}, { slots: 2, parallelism: 5 })).toEqual(expected);
  });

  test('with subtasks of different number', async () => {
    const parallelism = {
      sales: 3,
      spend: 2,
      again: 4,
      bursts: 1,
      seconds: 3,
      windows: 1,
      moved: 2,
    };
    expect(await outputOf({ parallelism }, { slots: 3 })).toEqual(expected);
  });

  test('without generated code', async () => {
    expect(await outputOf({}, { slots: 2, codegen: 'off' })).toEqual(expected);
  });

  test('on the level backend', async () => {
    const disk = await diskForJobs();
    const env = virtualEnv({ storage: disk.process('level'), seed: 1 });
    const open = () => ({ store: new MemorySpillStore(), remove: async () => undefined });
    const scratch = { open, remove: async () => undefined };
    const options = { env, slots: 2, backend: 'level', stateMemoryBytes: 100_000 } as const;
    const checkpoints = { folder: '/checkpoints', interval: '100ms' } as const;
    const job = salesJob('/out', { total }).build();
    const handle = startJob(job, { ...options, checkpoints }, { scratch });
    await pass({ env, handle });
    await handle.done;
    expect(merged(await linesOf(disk))).toEqual(expected);
  });
});

describe('a job that is stopped and goes on', () => {
  test.each([
    [1, 4, 2],
    [4, 1, 3],
    [2, 2, 2],
  ])('in %i, then %i, then %i slots ends with the same output', async (...slots) => {
    const disk = await diskForJobs();
    const job = () => salesJob('/out', { total, rate: 2_000 });
    for (const [at, many] of slots.entries()) {
      const process = start(disk, job(), { slots: many });
      const isLast = at === slots.length - 1;
      const until = process.env.nowMs + 600;
      await pass(process, () => !isLast && process.env.nowMs >= until);
      if (isLast) await process.handle.done;
      else {
        const stopped = process.handle.stopWithSavepoint(`step-${at}`);
        await pass(process);
        await stopped;
      }
      if (at > 0) expect(await process.handle.resumed).toBeDefined();
    }
    expect(merged(await linesOf(disk))).toEqual(expected);
  });
});

describe('what operators count', () => {
  /** Records in and out of each operator. */
  async function countsOf(options: Parameters<typeof start>[2]): Promise<object> {
    const process = start(await diskForJobs(), salesJob('/out', { total }), options);
    await pass(process);
    const { metrics } = await process.handle.done;
    const counts = Object.entries(metrics.operators).map(([id, m]) => {
      const { numRecordsIn, numRecordsOut } = m;
      return [id, { numRecordsIn, numRecordsOut }];
    });
    return Object.fromEntries(counts);
  }

  test.each([{ slots: 2 }, { slots: 3, parallelism: 2 }, { slots: 1, codegen: 'off' }] as const)(
    'is the same: %o',
    async (options) => {
      expect(await countsOf(options)).toEqual(await countsOf({}));
    },
  );
});

test('a number of slots that cannot be is refused', () => {
  expect(() => run(salesJob('/out', { total }), { slots: 0 })).toThrow(/slots is 0/);
});
