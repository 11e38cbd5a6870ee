import { setTimeout as wait } from 'node:timers/promises';
import {
  batchCallbackSink,
  type JetstreamGuarantee,
  jetstreamSink,
  jetstreamSource,
} from '@millrace/connectors';
import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import {
  aggregate,
  collect,
  count,
  keyBy,
  map,
  sinkTo,
  sum,
  tumbling,
  window,
} from '@millrace/operators';

/** A record of the input: about 60 bytes of JSON. */
export interface Reading {
  readonly n: number;
  /** Event time, epoch ms. */
  readonly at: number;
  readonly amount: number;
  /** When it was published, on the machine's monotonic clock, µs; 0: nobody asks. */
  readonly sentUs: number;
}

export const streams = { input: 'IN', output: 'OUT' } as const;
export const subjects = { input: 'in.readings', output: 'out.rows', allOutput: 'out.>' } as const;

/** Event time goes on by a second with so many records. */
const recordsPerEventSecond = 100_000;
const startMs = Date.UTC(2026, 0, 1);

export const readingOf = (n: number, sentUs = 0): Reading => ({
  n,
  at: startMs + Math.floor((n * 1_000) / recordsPerEventSecond),
  amount: (n * 37) % 1_000,
  sentUs,
});

/** How many records come before an event time. */
export const recordsBefore = (timeMs: number): number =>
  ((timeMs - startMs) * recordsPerEventSecond) / 1_000;

export type JobName = 'tenth' | 'each' | 'packed';

export interface JobOptions {
  readonly server: string;
  readonly guarantee: JetstreamGuarantee;
}

/** How many records come for each message of the output. */
export const recordsPerMessage: Readonly<Record<JobName, number>> = {
  tenth: 10,
  each: 1,
  packed: 100,
};

/** From stream to stream, a record in each message of the input. */
export function benchJob(name: JobName, { server, guarantee }: JobOptions): JobDefinition {
  const nats = { servers: server };
  const source = jetstreamSource<Reading>({ nats, stream: streams.input });
  const times = watermarks((reading: Reading) => reading.at, { farFuture: 'off' });
  const sink = <T>() =>
    jetstreamSink<T>({ nats, stream: streams.output, subject: subjects.output, guarantee });
  return defineJob(name, {}, (job) => {
    const readings = job.source('readings', source, times);
    switch (name) {
      case 'tenth':
        // 10,000 records in a window, of 1,000 keys.
        readings.pipe(
          keyBy((reading) => reading.n % 1_000),
          window('sums', tumbling('100ms')),
          aggregate({ n: count(), total: sum((reading) => reading.amount) }),
          sinkTo('out', sink()),
        );
        break;
      case 'each':
        readings.pipe(
          map((reading) => ({ ...reading, amount: reading.amount + 1 })),
          sinkTo('out', sink()),
        );
        break;
      case 'packed':
        // 1,000 records in a window, of 10 keys.
        readings.pipe(
          keyBy((reading) => reading.n % 10),
          window('packs', tumbling('10ms')),
          aggregate({ readings: collect<Reading>() }),
          sinkTo('out', sink()),
        );
    }
  });
}

/** Reads the input; its sink takes as long for each batch as the rate says. */
export function slowJob(server: string, takenPerSecond: number): JobDefinition {
  const source = jetstreamSource<Reading>({ nats: { servers: server }, stream: streams.input });
  const times = watermarks((reading: Reading) => reading.at, { farFuture: 'off' });
  return defineJob('slow', {}, (job) => {
    job.source('readings', source, times).pipe(
      map((reading) => reading.n),
      sinkTo(
        'out',
        batchCallbackSink((records: readonly number[]) =>
          wait((records.length * 1_000) / takenPerSecond),
        ),
      ),
    );
  });
}
