import { csvSink, generator } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';
import type { SimulatedDisk } from '@millrace/testing';
import { expect, test } from 'vitest';
import { diskForJobs, linesOf, pass, start } from './durable-rig.js';

/** All keys come at first, then only a few of them: small segments, which are merged. */
const counting = defineJob('counting', {}, (job) => {
  const numbers = generator({
    seed: 1,
    count: 8_000,
    ratePerSecond: 2_000,
    create: (n) => ({ n }),
  });
  job.source('numbers', numbers).pipe(
    keyBy(({ n }) => (n < 1_000 ? n : n % 20)),
    keyedProcess('count', {
      output: type<{ n: number; count: number }>(),
      state: { count: valueState<number>() },
      process({ n }, ctx) {
        ctx.state.count.set((ctx.state.count.get() ?? 0) + 1);
        ctx.emit({ n, count: ctx.state.count.get()! });
      },
    }),
    sinkTo('counts', csvSink({ path: '/out/counts.csv', columns: ['n', 'count'] })),
  );
});

/** Damages each segment once. */
async function damageAll(disk: SimulatedDisk, damaged: Set<string>): Promise<void> {
  for (const name of await disk.list('/checkpoints/segments')) {
    if (!damaged.has(name)) disk.damage(`/checkpoints/segments/${name}`, 40);
    damaged.add(name);
  }
}

test('a damaged segment is found as it is merged, and its state written anew', async () => {
  const undisturbed = await diskForJobs();
  await pass(start(undisturbed, counting));

  const disk = await diskForJobs();
  const process = start(disk, counting);
  const { env, handle } = process;
  await pass(process, () => handle.progress().recordsIn > 1_500);
  const found = 'a segment is damaged: the next checkpoint has all state anew';
  const isFound = (): boolean => env.logged.some(({ message }) => message === found);
  const damaged = new Set<string>();
  for (let steps = 0; steps < 100 && !isFound(); steps += 1) {
    await damageAll(disk, damaged);
    const until = env.nowMs + 20;
    await pass(process, () => env.nowMs >= until);
  }
  expect([isFound(), handle.progress().status]).toEqual([true, 'running']);

  const { committed } = handle.progress().checkpoints!;
  await pass(process, () => handle.progress().checkpoints!.committed! > committed! + 3);
  disk.crashProcess();
  const next = start(disk, counting);
  await pass(next);
  expect(await next.handle.resumed).toMatchObject({ finished: false });
  await next.handle.done;
  expect(await linesOf(disk)).toEqual(await linesOf(undisturbed));
});
