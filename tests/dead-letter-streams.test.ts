import { generator } from '@millrace/connectors';
import { type DeadLetter, defineJob, watermarks } from '@millrace/core';
import type { Stream } from '@millrace/core/spi';
import {
  aggregate,
  broadcast,
  collect,
  connect,
  flatMap,
  keyBy,
  map,
  sinkTo,
  tumbling,
  type,
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

/** What sends a tenth of the numbers to its dead letters. */
const producers: Record<string, (numbers: Stream<number>) => { side: { deadLetters: Dead } }> = {
  'a map': (numbers) => numbers.pipe(map((n: number) => refuse(n, 10, 3), { onError })),
  // Three stages write them, and not all have as many subtasks as the operator.
  'a connect and its keys': (numbers) =>
    numbers.pipe(
      keyBy((n) => refuse(n, 30, 3)),
      connect('both', numbers.pipe(keyBy((n) => refuse(n, 30, 13))), {
        output: type<number>(),
        onError,
        parallelism: 2,
        processLeft: (n) => refuse(n, 30, 23),
        processRight: () => undefined,
      }),
    ),
};

const onError = { action: 'deadLetter', ceiling: 1 } as const;

function refuse(n: number, every: number, rest: number): number {
  if (n % every === rest) throw new RangeError('no');
  return n;
}

interface Graph {
  readonly producer: string;
  readonly consumer: string;
}

/** The numbers that come out behind the consumer. */
async function outcomeOf({ producer, consumer }: Graph, slots: number): Promise<number[]> {
  const out = new RecordingSink<number>();
  const job = defineJob('dead', {}, (builder) => {
    const numbers = builder.source(
      'numbers',
      generator({ seed: 1, count: total, splits: 2, create: (n) => n }),
      watermarks((n) => n, { farFuture: 'off' }),
    );
    const { deadLetters } = producers[producer]!(numbers).side;
    consumers[consumer]![0](deadLetters).pipe(sinkTo('out', out));
  });
  const process = start(await diskForJobs(), job, { slots, restart: { kind: 'none' } });
  await pass(process, undefined, 300);
  await process.handle.done;
  return out.records.map(({ value }) => value).sort((a, b) => a - b);
}

const graphs = Object.keys(producers).flatMap((producer) =>
  Object.keys(consumers).map((consumer): Graph => ({ producer, consumer })),
);

describe.each(graphs)('dead letters of $producer go to $consumer', (graph) => {
  test.each([1, 2, 3])('in %i slots', async (slots) => {
    const times = consumers[graph.consumer]![1];
    const expected = bad.flatMap((n) => new Array<number>(times).fill(n));
    expect(await outcomeOf(graph, slots)).toEqual(expected);
  });
});
