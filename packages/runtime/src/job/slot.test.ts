import { defineJob, noWatermarks } from '@millrace/core';
import type { Env, Sink } from '@millrace/core/spi';
import { sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { ManualSource, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

/** An environment that counts how often a job gave way to others. */
function countingEnv() {
  const { clock, random, scheduler, log, storage } = virtualEnv();
  const counts = { yields: 0 };
  const env: Env = {
    ...{ clock, random, log, storage },
    scheduler: {
      after: (delayMs, action) => scheduler.after(delayMs, action),
      yield: () => {
        counts.yields += 1;
        return scheduler.yield();
      },
    },
  };
  return { env, counts };
}

/** A job whose sink cannot publish what a savepoint has, and its savepoint, which is committed. */
async function stopping() {
  const { env, counts } = countingEnv();
  const end = { publish: (): void => undefined };
  let publishing = false;
  const sink: Sink<unknown> = {
    type: 'away',
    guarantee: 'exactly-once',
    createWriter: () => ({
      write: () => undefined,
      prepare: async () => null,
      committed: async (checkpoint) => {
        if (checkpoint === 1) return;
        publishing = true;
        await new Promise<void>((resolve) => {
          end.publish = resolve;
        });
      },
      cancel: () => end.publish(),
    }),
  };
  const job = defineJob('stopping', {}, (builder) => {
    builder
      .source('in', new ManualSource<number>(), noWatermarks(), { allowLoss: true })
      .pipe(sinkTo('out', sink));
  });
  const handle = run(job, { env, checkpoints: { folder: '/checkpoints', interval: '1h' } });
  await until(() => handle.progress().checkpoints?.committed === 1);
  let hasStopped = false;
  const stopped = handle.stopWithSavepoint('stop').finally(() => {
    hasStopped = true;
  });
  await until(() => publishing);
  return { handle, counts, publish: () => end.publish(), stopped, hasStopped: () => hasStopped };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

describe('a stop with a savepoint whose output is being published', () => {
  test('waits for that without asking again and again', async () => {
    const { counts, publish, stopped, hasStopped } = await stopping();
    for (let turns = 0; turns < 10; turns += 1) await turn();
    const { yields } = counts;
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect([counts.yields, hasStopped()]).toEqual([yields, false]);
    publish();
    expect(await stopped).toMatchObject({ checkpoint: 2 });
  });

  test('waits no longer than the job is left to run', async () => {
    const { handle, stopped } = await stopping();
    await handle.cancel();
    expect(await stopped).toMatchObject({ checkpoint: 2 });
  });
});
