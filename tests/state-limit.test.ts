import { generator } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';
import { RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

/** One operator keeps something for each record, another one for a few keys. */
const growing = (total: number) =>
  defineJob('growing', {}, (job) => {
    const numbers = generator<{ n: number }>({
      seed: 1,
      count: total,
      ratePerSecond: 20_000,
      create: (n) => ({ n }),
    });
    const records = job.source('numbers', numbers);
    for (const [id, keys] of [
      ['few-keys', 10],
      ['many-keys', Number.MAX_SAFE_INTEGER],
    ] as const) {
      records.pipe(
        keyBy((r) => r.n % keys),
        keyedProcess(id, {
          output: type<number>(),
          state: { last: valueState<number>() },
          process: (r, ctx) => ctx.state.last.set(r.n),
        }),
        sinkTo(`${id}-out`, new RecordingSink(), { parallelism: 1 }),
      );
    }
  });

const total = 20_000;

async function run(stateBytesMax: number | undefined, slots = 1) {
  const process = start(await diskForJobs(), growing(total), { stateBytesMax, slots });
  await pass(process);
  const { env, handle } = process;
  const warnings = env.logged.filter(({ message }) => message === 'state is near its limit');
  return { handle, warnings };
}

/** Bytes that the job says are in use. */
const inUse = (detail: string): number => Number(/^([\d.]+) MiB of/.exec(detail)![1]) * 2 ** 20;

/** What the whole state of the job takes, about. */
async function whole(): Promise<number> {
  let bytes = 0;
  for (let limit = 2 ** 24; ; limit /= 2) {
    const { handle } = await run(limit);
    if (
      await handle.done.then(
        () => true,
        () => false,
      )
    )
      bytes = limit;
    else return bytes;
  }
}

describe('the limit of state', () => {
  test('far away says nothing', async () => {
    const { handle, warnings } = await run(2 ** 30);
    expect(await handle.done).toMatchObject({ status: 'finished' });
    expect(warnings).toEqual([]);
  });

  test('when reached: one warning at 80 %, then a failure that names the largest operator', async () => {
    const limit = (await whole()) / 4;
    const { handle, warnings } = await run(limit);
    await expect(handle.done).rejects.toMatchObject({
      code: 'ERR_STATE_LIMIT',
      operator: 'many-keys',
      retryable: false,
    });
    expect(handle.progress().attempts).toBe(1);
    expect(warnings).toMatchObject([{ level: 'warn', fields: { operator: 'many-keys' } }]);
    const warned = inUse(String(warnings[0]!.fields.detail));
    expect(warned).toBeGreaterThan(limit * 0.75);
    expect(warned).toBeLessThan(limit);
  });

  test('is shared by the tasks that have state: those of sinks take nothing of it', async () => {
    const { handle } = await run(await whole(), 2);
    expect(await handle.done).toMatchObject({ status: 'finished' });
  });
});
