import type { Sink, SinkWriter } from '@millrace/core/spi';
import type { MsgHdrs } from '@nats-io/nats-core';
import { NatsConnectionImpl } from '@nats-io/nats-core/internal';
import { type CommitStep, stepsOf } from '../commit-steps.js';
import type { StepWatcher } from '../step-watcher.js';
import { names } from './spend-job.js';

/** What a sink of a stream does, beside the storage's steps. */
export const sinkSteps = [
  /** What it prepared is durable; no manifest names it. */
  'prepared, not committed',
  'publication begins',
  'part of a batch sent',
  'batch sent but for its marker',
  'marker on its way',
  /** The server has answered; nobody has read it. */
  'batch stored, not answered',
  'between chunks',
  'marker without rows',
  'publication ends',
  /** As it opens. */
  'fence read',
  /** Of what a process before it had prepared. */
  'restored rows sent but for their marker',
] as const;

export type SinkStep = (typeof sinkSteps)[number];
export type StreamStep = CommitStep | SinkStep;

/** All steps that a job from stream to stream takes. */
export const streamSteps: readonly StreamStep[] = [...stepsOf(['stream']), ...sinkSteps];

/** Those that a process takes as it starts. */
export const earlySteps: ReadonlySet<StreamStep> = new Set<SinkStep>([
  'fence read',
  'restored rows sent but for their marker',
]);

/** The message of a batch at which part of it is sent. */
const partMessages = 50;
/** From sending a marker to what happens then, by the failpoint's moment: it is stored after 1 ms. */
const onItsWayMs = { before: 0, during: 1, after: 2.5 } as const;

/** Watches a sink from outside: its calls, and what its client is asked to send. */
export class SinkWatch {
  private readonly steps: StepWatcher<StreamStep>;
  private isOpening = false;
  /** Messages of the batch under way. */
  private messages = 0;
  private isBehindChunk = false;

  constructor(steps: StepWatcher<StreamStep>) {
    this.steps = steps;
  }

  sink<T>(sink: Sink<T>): Sink<T> {
    return { ...sink, createWriter: (context) => this.writer(sink.createWriter(context)) };
  }

  /** Puts itself between the client and whoever uses it, for all connections of the process. */
  watchClient(): void {
    const { publish, request } = NatsConnectionImpl.prototype;
    const watch = this;
    NatsConnectionImpl.prototype.publish = function (subject, data, options) {
      // A request is published, too, with a subject for its answer.
      const isAlone = options?.reply === undefined;
      publish.call(this, subject, data, options);
      if (isAlone && isInBatch(options?.headers)) watch.onMessage(this);
    };
    NatsConnectionImpl.prototype.request = function (subject, data, options) {
      const ask = () => request.call(this, subject, data, options);
      if (options?.headers?.has('Nats-Batch-Commit') === true) {
        return watch.aroundMarker(this, markerOf(data as Uint8Array), ask);
      }
      if (subject !== `$JS.API.STREAM.MSG.GET.${names.output}`) return ask();
      return watch.steps.around('fence read', ask);
    };
  }

  private writer(writer: SinkWriter): SinkWriter {
    const { steps } = this;
    return {
      open: async () => {
        this.isOpening = true;
        await writer.open?.();
        this.isOpening = false;
      },
      write: (batch) => writer.write(batch),
      flush: async () => writer.flush?.(),
      prepare: async (checkpoint) => {
        const prepared = await writer.prepare!(checkpoint);
        steps.point('prepared, not committed');
        return prepared;
      },
      committed: async (checkpoint) => {
        steps.point('publication begins');
        await writer.committed!(checkpoint);
        steps.point('publication ends');
      },
      finish: async () => writer.finish?.(),
      close: async () => writer.close?.(),
    };
  }

  private onMessage(connection: NatsConnectionImpl): void {
    this.messages += 1;
    if (this.messages === 1 && this.isBehindChunk) this.steps.point('between chunks');
    this.isBehindChunk = false;
    if (this.messages !== partMessages || !this.steps.isDue('part of a batch sent')) return;
    send(connection);
    this.steps.strike('part of a batch sent');
  }

  private async aroundMarker<R extends { readonly data: Uint8Array }>(
    connection: NatsConnectionImpl,
    { chunk, of }: Marker,
    ask: () => Promise<R>,
  ): Promise<R> {
    const { steps } = this;
    const step = this.stepBefore();
    this.messages = 0;
    if (steps.isDue(step)) {
      send(connection);
      steps.strike(step);
    }
    const isDue = steps.isDue('marker on its way');
    steps.begin('marker on its way');
    const asked = ask();
    if (isDue) await this.strikeOnItsWay(connection);
    const answer = await asked;
    steps.end('marker on its way');
    if (isStored(answer.data)) {
      steps.point('batch stored, not answered');
      this.isBehindChunk = chunk < of;
    }
    return answer;
  }

  private stepBefore(): SinkStep {
    if (this.isOpening) return 'restored rows sent but for their marker';
    return this.messages === 0 ? 'marker without rows' : 'batch sent but for its marker';
  }

  private async strikeOnItsWay(connection: NatsConnectionImpl): Promise<void> {
    send(connection);
    const delayMs = onItsWayMs[this.steps.moment() ?? 'before'];
    await new Promise<void>((resolve) => setTimeout(resolve, delayMs));
    this.steps.strike('marker on its way');
  }
}

const isInBatch = (headers: MsgHdrs | undefined): boolean =>
  headers?.has('Nats-Batch-Sequence') === true;

/** What was published so far leaves the process. */
function send(connection: NatsConnectionImpl): void {
  connection.flush().catch(() => undefined);
}

interface Marker {
  readonly chunk: number;
  readonly of: number;
}

const markerOf = (data: Uint8Array): Marker => parsed(data) as Marker;

const isStored = (data: Uint8Array): boolean =>
  data.length > 0 && !('error' in (parsed(data) as object));

const parsed = (data: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(data));
