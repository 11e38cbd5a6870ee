import { syncBuiltinESMExports } from 'node:module';
import v8 from 'node:v8';
import { fromArray } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunOptions, run } from '../job/run.js';

const flags: string[] = [];
const { setFlagsFromString } = v8;

/** Also for those who have imported it by its name already. */
function setFlagsBy(setFlags: (flag: string) => void): void {
  v8.setFlagsFromString = setFlags;
  syncBuiltinESMExports();
}

beforeAll(() => setFlagsBy((flag) => flags.push(flag)));
afterAll(() => setFlagsBy(setFlagsFromString));

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
