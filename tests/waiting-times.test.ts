import { batchCallbackSink, fromIterable } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { map, sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';

test('a slow sink counts as busy, and those who wait for it as back-pressured', async () => {
  const env = virtualEnv();
  let batches = 0;
  const job = defineJob('slow', {}, (builder) => {
    builder
      .source(
        'numbers',
        fromIterable(function* () {
          for (let n = 0; n < 100_000; n += 1) yield n;
        }),
      )
      .pipe(
        map((n) => n + 1),
        sinkTo(
          'out',
          batchCallbackSink<number>(() => {
            batches += 1;
            return new Promise((resolve) => env.scheduler.after(1_000, resolve));
          }),
        ),
      );
  });
  const handle = run(job, { env });
  for (let second = 0; second < 60; second += 1) {
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    env.advance(1_000);
  }
  const { numbers, out } = handle.metrics().operators;
  expect(out!.accumulateBusyTimeMs).toBeGreaterThan(59_000);
  expect(out!.accumulateBusyTimeMs).toBeLessThanOrEqual(60_000);
  expect(out!.accumulateBackPressuredTimeMs).toBe(0);
  expect(numbers!.accumulateBackPressuredTimeMs).toBeGreaterThan(55_000);
  expect(batches).toBeGreaterThan(50);
  await handle.cancel();
});
