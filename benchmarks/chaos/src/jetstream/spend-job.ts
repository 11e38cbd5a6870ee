import { jetstreamSink, jetstreamSource } from '@millrace/connectors';
import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import {
  aggregate,
  count,
  filter,
  keyBy,
  map,
  sinkTo,
  sliding,
  sum,
  window,
} from '@millrace/operators';
import type { Payment, Row } from './payments.js';
import { windowMs, windowSlideMs } from './payments.js';

/** Names on the server. */
export const names = {
  input: 'IN',
  inputSubject: 'in.payments',
  output: 'OUT',
  outputSubject: 'out.rows',
  /** Of all subjects of the output. */
  outputFilter: 'out.>',
  fence: 'out.fence',
  /** Header of a row: the process that computed it. */
  life: 'Chaos-Life',
  /** Header of the markers among the rows. */
  marker: 'Millrace-Fence',
} as const;

export interface SpendJobOptions {
  readonly servers: readonly string[];
  /** Number of the process, which each of its rows carries. */
  readonly life: number;
  /** Replicas of the output, where the job is to make it; undefined: it is there. */
  readonly createsOutput?: number | undefined;
  /** Is told when the last payment comes. */
  readonly onEnd: () => void;
  /** Watches the sink. */
  readonly watch: (sink: Sink<Row>) => Sink<Row>;
}

/** Spending of each card in sliding windows: stream to stream, exactly once. */
export function spendJob(options: SpendJobOptions): JobDefinition {
  const { servers, life, createsOutput: replicas, onEnd, watch } = options;
  const nats = { servers };
  const source = jetstreamSource<Payment>({ nats, stream: names.input });
  const sink = jetstreamSink<Row>({
    nats,
    stream: names.output,
    subject: names.outputSubject,
    fence: names.fence,
    headers: () => ({ [names.life]: String(life) }),
    ...(replicas !== undefined && { createStream: { replicas } }),
  });
  const times = watermarks((payment: Payment) => payment.at, {
    outOfOrderness: '1s',
    farFuture: 'off',
  });
  return defineJob('spend', {}, (job) => {
    job.source('payments', source, times).pipe(
      filter(
        (payment) => {
          if (payment.last === true) onEnd();
          return payment.last !== true;
        },
        { id: 'end' },
      ),
      keyBy((payment) => payment.card),
      window('spend', sliding(windowMs, windowSlideMs)),
      aggregate({ n: count(), total: sum((payment) => payment.amount) }),
      map(({ key, window: { start }, n, total }): Row => ({ card: key, start, n, total })),
      sinkTo('out', watch(sink)),
    );
  });
}
