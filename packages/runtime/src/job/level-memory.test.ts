import { generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { aggregate, count, keyBy, sinkTo, tumbling, window } from '@millrace/operators';
import { MemorySpillStore } from '@millrace/state';
import { RecordingSink, SimulatedDisk, virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';
import { startJob } from './run.js';

interface View {
  readonly page: number;
  readonly at: number;
}

const total = 20_000;
const hourMs = 3_600_000;

/** Counts views of pages by the hour; no window ends before the input does. */
const views = (create: (id: number) => View, out: RecordingSink<unknown>) =>
  defineJob('views', {}, (job) => {
    const source = generator<View>({ seed: 1, count: total, ratePerSecond: 10_000, create });
    const time = { outOfOrderness: '30d', farFuture: 'off' } as const;
    job
      .source(
        'views',
        source,
        watermarks((v) => v.at, time),
      )
      .pipe(
        keyBy((v) => v.page),
        window('pages', tumbling('1h')),
        aggregate({ n: count() }),
        sinkTo('out', out),
      );
  });

/** Each page is viewed twice in a row: what changed once does not change again. */
const newPages = (id: number): View => ({ page: id - (id % 2), at: id });

/** The same 9,000 rows again and again, in so many hours. */
const oldPages =
  (hours: number) =>
  (id: number): View => ({
    page: Math.floor(id / hours) % (9_000 / hours),
    at: (id % hours) * hourMs,
  });

/** Runs the job with state in a store in memory beyond `stateMemoryBytes`. */
async function run(create: (id: number) => View, stateMemoryBytes: number) {
  const env = virtualEnv({ storage: new SimulatedDisk().process('views'), seed: 1 });
  const stores: MemorySpillStore[] = [];
  const scratch = {
    open: () => {
      stores.push(new MemorySpillStore());
      return { store: stores.at(-1)!, remove: async () => undefined };
    },
    remove: async () => undefined,
  };
  const out = new RecordingSink<unknown>();
  const checkpoints = { folder: '/checkpoints', interval: '10s', minPause: '200ms' } as const;
  const options = { env, checkpoints, backend: 'level', stateMemoryBytes } as const;
  const handle = startJob(views(create, out).build(), options, { scratch });
  let rowsOutside = 0;
  while (handle.progress().status === 'running') {
    env.advance(20);
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    rowsOutside = Math.max(rowsOutside, stores[0]?.size ?? 0);
  }
  expect(await handle.done).toMatchObject({ status: 'finished' });
  const { history } = handle.progress().checkpoints!;
  const metrics = handle.metrics().operators.pages!;
  return { history, metrics, rowsOutside, results: out.records.length };
}

test('state that fits in memory waits for the interval', async () => {
  const { history, rowsOutside, results } = await run(newPages, 1 << 30);
  expect(results).toBe(total / 2);
  expect(rowsOutside).toBe(0);
  // The first, and the final one: the job takes 2 s.
  expect(history.map(({ kind }) => kind)).toEqual(['checkpoint', 'final']);
});

test('memory full of rows that no snapshot has: checkpoints come early, a pause apart', async () => {
  const { history, rowsOutside, results } = await run(newPages, 64 << 10);
  expect(results).toBe(total / 2);
  expect(rowsOutside).toBeGreaterThan(total / 4);
  const early = history.filter(({ kind }) => kind === 'checkpoint').slice(1);
  expect(early.length).toBeGreaterThan(4);
  for (const [index, { endedMs, durationMs }] of early.entries()) {
    const before = history[index]!;
    expect(endedMs - durationMs - before.endedMs).toBeGreaterThanOrEqual(200);
  }
});

test('reads of rows outside memory that nothing prepared are counted by operator', async () => {
  // A batch is looked up ahead in eight tables at the most.
  const some = await run(oldPages(12), 64 << 10);
  expect(some.rowsOutside).toBeGreaterThan(1_000);
  expect(some.metrics.stateSyncReads).toBeGreaterThan(100);
  const none = await run(oldPages(6), 64 << 10);
  expect(none.rowsOutside).toBeGreaterThan(1_000);
  expect(none.metrics.stateSyncReads).toBe(0);
});

test('rows outside memory have a folder of their own, which only the owner of all clears', async () => {
  const storage = new SimulatedDisk().process('shared');
  const touched: string[] = [];
  const scratch = {
    open: (path: string | undefined) => {
      touched.push(path!);
      return { store: new MemorySpillStore(), remove: async () => undefined };
    },
    remove: async (path: string) => void touched.push(path),
  };
  const start = (name: string, seed: number) => {
    const env = virtualEnv({ storage, seed });
    const job = defineJob(name, {}, (job) => {
      job
        .source('numbers', generator({ seed: 1, count: 1, create: (n) => n }))
        .pipe(sinkTo('out', new RecordingSink<number>()));
    });
    const options = { env, checkpoints: { folder: '/own' }, backend: 'level' } as const;
    const { done } = startJob(job.build(), options, { scratch });
    return { env, done };
  };
  const ended = async ({ env, done }: ReturnType<typeof start>) => {
    let status = 'running';
    done.then(
      () => (status = 'finished'),
      ({ code }) => (status = code),
    );
    while (status === 'running') {
      env.advance(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return status;
  };
  expect(await ended(start('owner', 1))).toBe('finished');
  expect(touched).toEqual([
    '/own/scratch',
    expect.stringMatching(/^\/own\/scratch\/attempt-1-\w{8}/),
  ]);
  // The folder is another job's, which may be running.
  expect(await ended(start('stranger', 2))).not.toBe('finished');
  expect(touched).toHaveLength(2);
});
