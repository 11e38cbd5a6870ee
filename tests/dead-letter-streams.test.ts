import { generator } from '@millrace/connectors';
import { type DeadLetter, defineJob, watermarks } from '@millrace/core';
import type { Stream } from '@millrace/core/spi';
import {
  aggregate,
  broadcast,
  collect,
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

const total = 600;
const bad = Array.from({ length: total / 10 }, (_, n) => n * 10 + 3);

type Dead = Stream<DeadLetter<number>>;

const numberOf = ({ record }: DeadLetter<number>): number => record!;
const byNumber = keyBy(numberOf);

/** What is made of dead letters, and how many times each comes out. */
const consumers: Record<string, readonly [(dead: Dead) => Stream<number>, times: number]> = {
  'a map': [(dead) => dead.pipe(map(numberOf)), 1],
  'a keyed flatMap': [
    (dead) =>
      dead.pipe(
        byNumber,
        flatMap((d) => [numberOf(d)]),
      ),
    1,
  ],
  'a window': [
    (dead) =>
      dead.pipe(
        byNumber,
        window('w', tumbling(10)),
        aggregate({ all: collect(numberOf) }),
        flatMap(({ all }) => all),
      ),
    1,
  ],
  'all subtasks of a map': [(dead) => dead.pipe(broadcast(), map(numberOf, { parallelism: 2 })), 2],
};

/** Sends a tenth of the numbers to the consumer of dead letters. */
async function outcomeOf(consumer: (dead: Dead) => Stream<number>, slots: number) {
  const out = new RecordingSink<number>();
  const job = defineJob('dead', {}, (builder) => {
    const failing = builder
      .source(
        'numbers',
        generator({ seed: 1, count: total, splits: 2, create: (n) => n }),
        watermarks((n) => n, { farFuture: 'off' }),
      )
      .pipe(
        map(
          (n: number) => {
            if (n % 10 === 3) throw new RangeError('no');
            return n;
          },
          { onError: { action: 'deadLetter', ceiling: 1 } },
        ),
      );
    failing.pipe(sinkTo('good', new RecordingSink<number>()));
    consumer(failing.side.deadLetters).pipe(sinkTo('out', out));
  });
  const process = start(await diskForJobs(), job, { slots, restart: { kind: 'none' } });
  await pass(process);
  await process.handle.done;
  return out.records.map(({ value }) => value).sort((a, b) => a - b);
}

describe.each(Object.entries(consumers))('dead letters go to %s', (_name, [consumer, times]) => {
  test.each([1, 2, 3])('in %i slots', async (slots) => {
    const expected = bad.flatMap((n) => new Array<number>(times).fill(n));
    expect(await outcomeOf(consumer, slots)).toEqual(expected);
  });
});
