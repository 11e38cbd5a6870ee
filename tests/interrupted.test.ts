import { csvSink } from '@millrace/connectors';
import { defineJob, MillraceError, noWatermarks } from '@millrace/core';
import type { Source } from '@millrace/core/spi';
import { sinkTo } from '@millrace/operators';
import { expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

/** A source that cannot be reached, and takes its time to say so. */
function unreachable(opening: Promise<void>): Source<{ readonly n: number }> {
  return {
    type: 'unreachable',
    bounded: false,
    replay: 'exact',
    createEnumerator: () => ({
      discover: async () => ({ splits: [{ id: 'one' }], end: true }),
      snapshot: () => null,
    }),
    createReader: () => ({
      open: () => opening,
      addSplits() {},
      noMoreSplits() {},
      poll: () => undefined,
      available: () => new Promise(() => undefined),
      pauseSplits() {},
      resumeSplits() {},
      snapshot: () => [],
    }),
  };
}

/** A job whose source is about to fail, with a long pause ahead of the next attempt. */
async function opening() {
  let fail: () => void = () => undefined;
  const failure = new Promise<void>((_, reject) => {
    fail = () => reject(new MillraceError('ERR_NATS_UNREACHABLE', 'no answer'));
  });
  const job = defineJob('reading', {}, (job) => {
    job
      .source('numbers', unreachable(failure), noWatermarks())
      .pipe(sinkTo('out', csvSink({ path: '/out/n.csv', columns: ['n'] })));
  });
  const restart = { kind: 'fixed', attempts: 9, delay: '1h' } as const;
  const process = start(await diskForJobs(), job, { restart });
  await pass(process, () => process.handle.progress().attempts > 0);
  return { process, fail };
}

test('a job that is stopped while its sources open, and fail to, waits for no restart', async () => {
  const { process, fail } = await opening();
  const cancelled = process.handle.cancel();
  fail();
  await pass(process, undefined, 100);
  await cancelled;
  expect((await process.handle.done).status).toBe('cancelled');
});

test('a savepoint to stop with, while sources open, is refused with where the job is', async () => {
  const { process, fail } = await opening();
  await expect(process.handle.stopWithSavepoint('stop')).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT_FAILED',
    detail: expect.stringContaining('at its start'),
  });
  fail();
  await process.handle.cancel();
});
