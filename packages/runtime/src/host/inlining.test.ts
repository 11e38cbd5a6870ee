import { fromArray } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { beforeEach, expect, test, vi } from 'vitest';
import { type RunOptions, run } from '../job/run.js';

const flags = vi.hoisted(() => [] as string[]);
vi.mock('node:v8', () => ({ setFlagsFromString: (flag: string) => flags.push(flag) }));

beforeEach(() => {
  flags.length = 0;
});

const job = defineJob('flags', {}, (builder) => {
  builder.source('numbers', fromArray([1])).pipe(sinkTo('out', new RecordingSink<number>()));
});

test.each<[string, RunOptions, number]>([
  ['is told to inline more', {}, 1],
  ['is left alone where a job asks for that', { inlining: 'asIs' }, 0],
  ['is left alone where time is virtual', { env: virtualEnv() }, 0],
])('V8 %s', async (_, options, times) => {
  const handle = run(job, options);
  handle.cancel();
  await handle.done;
  expect(flags).toHaveLength(times);
});
