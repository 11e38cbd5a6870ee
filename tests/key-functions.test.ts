import { generator } from '@millrace/connectors';
import { type DeadLetter, defineJob, type KeyedStream, watermarks } from '@millrace/core';
import type { Stream, StreamWithSides } from '@millrace/core/spi';
import {
  aggregate,
  count,
  filter,
  flatMap,
  keyBy,
  map,
  sinkTo,
  tumbling,
  window,
} from '@millrace/operators';
import { RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

const total = 2_000;
const numbers = Array.from({ length: total }, (_, n) => n);
const hasNoKey = (n: number): boolean => n % 10 === 3;
const keyOf = (n: number): number => {
  if (hasNoKey(n)) throw new RangeError('no key');
  return n;
};

/** A tenth of the records fails. */
const onError = { action: 'deadLetter', ceiling: 1 } as const;

type Failing = StreamWithSides<unknown, { readonly deadLetters: DeadLetter<number> }>;

/** Operators that give on the numbers they get. */
const operators: Record<string, (keyed: KeyedStream<number, number>) => Failing> = {
  map: (keyed) => keyed.pipe(map((n: number) => n, { onError })),
  flatMap: (keyed) => keyed.pipe(flatMap((n: number) => [n], { onError })),
  window: (keyed) => keyed.pipe(window('w', tumbling(10), { onError }), aggregate({ n: count() })),
};

/** What came out, and the dead letters, of the numbers through an operator. */
async function outcomeOf(operator: string, slots: number) {
  const out = new RecordingSink<unknown>();
  const dead = new RecordingSink<DeadLetter<number>>();
  const job = defineJob('keys', {}, (builder) => {
    const source = generator({
      seed: 1,
      count: total,
      splits: 2,
      ratePerSecond: 2_000,
      create: (n) => n,
    });
    const input: Stream<number> = builder
      .source(
        'numbers',
        source,
        watermarks((n) => n, { farFuture: 'off' }),
      )
      .pipe(filter((n) => n < total));
    const given = operators[operator]!(input.pipe(keyBy(keyOf)));
    given.pipe(sinkTo('out', out));
    given.side.deadLetters.pipe(sinkTo('dead', dead));
  });
  const process = start(await diskForJobs(), job, { slots });
  await pass(process);
  await process.handle.done;
  expect(process.handle.progress().attempts).toBe(1);
  return { out: out.records.length, dead: dead.records.map(({ value }) => value) };
}

describe.each(['flatMap', 'window', 'map'])(
  'a key function that throws ahead of a %s',
  (operator) => {
    test.each([1, 2, 3])('makes dead letters of its records in %i slots', async (slots) => {
      const { out, dead } = await outcomeOf(operator, slots);
      expect(out).toBe(numbers.filter((n) => !hasNoKey(n)).length);
      const values = dead.map(({ record }) => record!).sort((a, b) => a - b);
      expect(values).toEqual(numbers.filter(hasNoKey));
      expect(dead[0]).toMatchObject({ error: { code: 'ERR_FUNCTION_THREW' } });
    });
  },
);
