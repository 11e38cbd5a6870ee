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

/** Views of ever new pages, in one window that ends with the input: all are state at the end. */
const views = (out: RecordingSink<unknown>) =>
  defineJob('views', {}, (job) => {
    const source = generator<View>({
      seed: 1,
      count: total,
      ratePerSecond: 10_000,
      create: (at) => ({ page: at - (at % 2), at }),
    });
    job
      .source(
        'views',
        source,
        watermarks((v) => v.at, { farFuture: 'off' }),
      )
      .pipe(
        keyBy((v) => v.page),
        window('pages', tumbling('1h')),
        aggregate({ n: count() }),
        sinkTo('out', out),
      );
  });

/** Runs the job with state in a store in memory beyond `stateMemoryBytes`. */
async function run(stateMemoryBytes: number) {
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
  const handle = startJob(views(out).build(), options, scratch);
  let rowsOutside = 0;
  while (handle.progress().status === 'running') {
    env.advance(20);
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    rowsOutside = Math.max(rowsOutside, stores[0]?.size ?? 0);
  }
  expect(await handle.done).toMatchObject({ status: 'finished' });
  const { history } = handle.progress().checkpoints!;
  return { history, rowsOutside, results: out.records.length };
}

test('state that fits in memory waits for the interval', async () => {
  const { history, rowsOutside, results } = await run(1 << 30);
  expect(results).toBe(total / 2);
  expect(rowsOutside).toBe(0);
  // The first, and the final one: the job takes 2 s.
  expect(history.map(({ kind }) => kind)).toEqual(['checkpoint', 'final']);
});

test('memory full of rows that no snapshot has: checkpoints come early, a pause apart', async () => {
  const { history, rowsOutside, results } = await run(64 << 10);
  expect(results).toBe(total / 2);
  expect(rowsOutside).toBeGreaterThan(total / 4);
  const early = history.filter(({ kind }) => kind === 'checkpoint').slice(1);
  expect(early.length).toBeGreaterThan(4);
  for (const [index, { endedMs, durationMs }] of early.entries()) {
    const before = history[index]!;
    expect(endedMs - durationMs - before.endedMs).toBeGreaterThanOrEqual(200);
  }
});
