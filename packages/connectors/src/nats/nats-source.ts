import type { Counter, Source, SourceChunk } from '@millrace/core/spi';
import type { Msg, Subscription } from '@nats-io/nats-core';
import { connectorLimits } from '../limits.js';
import { assertWhole, refuseOption } from '../option-checks.js';
import { fixedEnumerator } from '../reading/fixed-enumerator.js';
import { RingBuffer } from '../reading/ring-buffer.js';
import { assertNatsSettings } from './connection-options.js';
import {
  type DecodeOptions,
  decodeMessages,
  decodeSettings,
  type MessageDecoder,
  messageDecoder,
  positionOfSequence,
} from './message-codec.js';
import { type NatsCursor, NatsReader, type OpenedSplit } from './nats-reader.js';
import type { NatsSettings } from './nats-settings.js';
import { assertFilters } from './subject-filter.js';

/** A message as it was published, beside its decoded value. */
export interface NatsMessage {
  readonly subject: string;
  /** As it was published; must not be changed. */
  readonly data: Uint8Array;
  /** When it arrived here, epoch ms. */
  readonly timeMs: number;
  /** Where an answer is awaited; undefined: nowhere. */
  readonly reply: string | undefined;
  /** The first value of a header; names are taken as they are written. */
  header(name: string): string | undefined;
}

/** Which messages to read, and what their records are. */
export interface NatsSourceOptions<V, T = V> extends DecodeOptions<V, T, NatsMessage> {
  /** How to reach the server. Default: `127.0.0.1:4222`. */
  readonly nats?: NatsSettings | undefined;
  /** One subject or several, with wildcards; each is a split. */
  readonly subject: string | readonly string[];
  /** Each message goes to one of those who subscribe in this group. Default: to all. */
  readonly queue?: string | undefined;
  /** Messages of a subject held until the job takes them. Default 65,536, and 16 MiB in all. */
  readonly bufferMax?: number | undefined;
}

/**
 * A source of messages of core NATS: what is published while the job runs and is connected, at
 * most once. It cannot replay, so a job with checkpoints must say `allowLoss`; for what must not be
 * lost, let a stream keep it and read that with `jetstreamSource`.
 *
 * A job that does not keep up loses messages: the oldest ones of the buffer give way to new ones,
 * are counted in `numRecordsDropped` and logged. Event times are when messages arrived.
 *
 * @throws ERR_INVALID_OPTION
 * @example
 * job.source('ticks', natsSource({ subject: 'ticks.>' }), watermarks())
 */
export function natsSource<V = unknown, T = V>(options: NatsSourceOptions<V, T>): Source<T> {
  const { nats = {}, subject, queue, bufferMax = connectorLimits.natsCoreBufferMax } = options;
  const subjects = typeof subject === 'string' ? [subject] : [...subject];
  assertNatsSettings(nats);
  assertFilters('subject', subjects);
  if (subjects.length === 0) refuseOption('subject', 'there is none');
  if (queue !== undefined && !/^\S+$/.test(queue)) refuseOption('queue', 'it has spaces');
  assertWhole('bufferMax', bufferMax, 1);
  const decode = messageDecoder<V, T, ArrivedMessage>(options);
  return {
    type: 'nats',
    replay: 'none',
    bounded: false,
    settings: {
      nats,
      subjects,
      delivery: 'at-most-once',
      bufferMax,
      ...(queue === undefined ? {} : { queue }),
      ...decodeSettings(options),
    },
    createEnumerator: (_context, snapshot) =>
      fixedEnumerator(async () => subjects.map((id) => ({ id })), snapshot),
    createReader: (context) =>
      new NatsReader(
        nats,
        context,
        ({ id }, opened) => new SubjectCursor(id, opened, decode, { queue, bufferMax }),
      ),
  };
}

/** Has no position: what was published does not come again. */
class SubjectCursor<T> implements NatsCursor<T> {
  private readonly subject: string;
  private readonly opened: OpenedSplit;
  private readonly decode: MessageDecoder<T, ArrivedMessage>;
  private readonly buffer: RingBuffer<ArrivedMessage>;
  private readonly dropped: Counter;
  private readonly subscription: Subscription;
  private bytes = 0;
  private arrived = 0;
  /** Dropping was told since the buffer was last empty. */
  private isDropping = false;

  constructor(
    subject: string,
    opened: OpenedSplit,
    decode: MessageDecoder<T, ArrivedMessage>,
    { queue, bufferMax }: { readonly queue: string | undefined; readonly bufferMax: number },
  ) {
    this.subject = subject;
    this.opened = opened;
    this.decode = decode;
    this.buffer = new RingBuffer(bufferMax);
    this.dropped = opened.context.metrics.counter('numRecordsDropped');
    opened.link.onFailure(() => opened.wake());
    this.subscription = opened.link.connection.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      // An error is a refused subject, which fails the link.
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
  }

  get isReady(): boolean {
    return this.buffer.size > 0 || this.opened.link.failed !== undefined;
  }

  get pending(): number {
    return this.buffer.size;
  }

  poll(max: number): SourceChunk<T> | undefined {
    const { failed } = this.opened.link;
    if (failed !== undefined) throw failed;
    const messages = this.take(max);
    if (this.buffer.size === 0) this.isDropping = false;
    if (messages.length === 0) return undefined;
    const { values, timestamps, places, bad } = decodeMessages(messages, this.decode);
    return {
      split: this.subject,
      values,
      start: 0,
      count: values.length,
      timestamps,
      bad,
      positionOf: (index) => positionOfSequence(places[index]!),
    };
  }

  position(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.opened.link.connection.isClosed()) this.subscription.unsubscribe();
  }

  private take(max: number): ArrivedMessage[] {
    const taken = this.buffer.take(max);
    for (const { data } of taken) this.bytes -= data.length;
    return taken;
  }

  private onMessage(message: Msg): void {
    const { context, wake, bytesMax } = this.opened;
    this.arrived += 1;
    const arrived = new ArrivedMessage(message, context.env.clock.nowMs(), this.arrived);
    while (this.buffer.isFull || (this.buffer.size > 0 && this.bytes > bytesMax)) this.dropOldest();
    this.buffer.push(arrived);
    this.bytes += arrived.data.length;
    if (this.buffer.size === 1) wake();
  }

  private dropOldest(): void {
    this.take(1);
    this.dropped.inc();
    if (this.isDropping) return;
    this.isDropping = true;
    const { context } = this.opened;
    const detail = 'NATS: the job does not keep up, so the oldest messages are dropped';
    context.log.log('warn', detail, { operator: context.operatorId, subject: this.subject });
  }
}

class ArrivedMessage implements NatsMessage {
  readonly timeMs: number;
  /** Number of its arrival since the job started, from 1 on. */
  readonly sequence: number;
  private readonly message: Msg;

  constructor(message: Msg, timeMs: number, sequence: number) {
    this.message = message;
    this.timeMs = timeMs;
    this.sequence = sequence;
  }

  get subject(): string {
    return this.message.subject;
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  get reply(): string | undefined {
    return this.message.reply === '' ? undefined : this.message.reply;
  }

  header(name: string): string | undefined {
    const { headers } = this.message;
    return headers?.has(name) === true ? headers.get(name) : undefined;
  }
}
