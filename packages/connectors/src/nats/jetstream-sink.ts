import { MillraceError } from '@millrace/core';
import type { Sink, SinkContext, SinkGuarantee, SinkWriter } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import { assertNatsSettings } from './connection-options.js';
import { DeduplicatedDestination, messageIdHeader } from './deduplicated-destination.js';
import { DirectMessagesWriter } from './direct-messages-writer.js';
import type { OpeningFacts } from './fence-opening.js';
import { publishFormer } from './former-output.js';
import type { MessageDestination } from './message-destination.js';
import { type EncodeOptions, type MessageEncoder, messageEncoder } from './message-encoder.js';
import { takesSubject } from './message-subject.js';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import {
  type NewStream,
  newStreamConfig,
  openSinkStream,
  type SinkStream,
  streamTaking,
} from './sink-stream.js';
import { StagedMessagesWriter } from './staged-messages-writer.js';
import {
  connectToStream,
  directConnection,
  fencedDestination,
  type StreamConnection,
} from './stream-connection.js';

/** What a sink of a stream promises; see {@link jetstreamSink}. */
export type JetstreamGuarantee = Extract<
  SinkGuarantee,
  'exactly-once' | 'effectively-once' | 'at-least-once'
>;

/** Where a JetStream sink publishes, and how. */
export interface JetstreamSinkOptions<T> extends EncodeOptions<T> {
  readonly nats?: NatsSettings | undefined;
  /** Name of the stream. Default: the one that takes `subject`, if that is no function. */
  readonly stream?: string | undefined;
  /** Default `exactly-once`. Without checkpoints each of them is at-least-once. */
  readonly guarantee?: JetstreamGuarantee | undefined;
  /** For `effectively-once`: an id that is the same whenever the record is computed again. */
  readonly messageId?: ((record: T) => string) | undefined;
  /**
   * For `exactly-once`: begin of the subjects of its fences, which the stream must take. Default:
   * `<subject or stream>.fence`.
   */
  readonly fence?: string | undefined;
  /**
   * For `exactly-once`, when the fence says that a job of this name has published, but this one
   * begins with nothing, or when the fence of a job that goes on is gone or went back: `refuse`
   * (default), or `takeOver` and publish what may be there already.
   */
  readonly existing?: OpeningFacts['existing'] | undefined;
  /** Makes the stream where there is none; needs `stream`. */
  readonly createStream?: NewStream | undefined;
}

/**
 * A sink that publishes each record to a stream.
 *
 * - `exactly-once`: output is kept with the checkpoint, and published when that is committed, in
 *   atomic batches that end with a marker on a fence: a subject of its own for each subtask.
 *   However often processes are killed, or go on beside their successors, a message is stored once.
 *   Needs nats-server 2.12 and `allow_atomic`.
 * - `effectively-once`: the same with message ids in place of batches. The stream drops what it
 *   remembers, so a job that was down for longer than `duplicate_window` is refused.
 * - `at-least-once`: published as it comes; a restart publishes again.
 *
 * A job may be restored with another guarantee: what the checkpoint has of the former one is
 * published as that one does it, and what comes then with the new one.
 *
 * A record whose message is too large, or whose subject the stream does not take, fails the job as
 * ERR_SINK_RECORD with its position; so does a subject that may not be published to
 * (ERR_NATS_PERMISSION) if the user may ask the server for that.
 *
 * @example
 * sinkTo('alerts', jetstreamSink({ subject: 'alerts' }))
 */
export function jetstreamSink<T = unknown>(options: JetstreamSinkOptions<T>): Sink<T> {
  const { nats = {}, guarantee = 'exactly-once', subject, stream, fence, existing } = options;
  assertNatsSettings(nats);
  assertOptions(options, guarantee);
  const encode = withMessageId(messageEncoder(options), options.messageId);
  const { codec = 'json' } = options;
  return {
    type: 'jetstream',
    guarantee,
    settings: {
      nats,
      subject: typeof subject === 'string' ? subject : 'function',
      codec: typeof codec === 'string' ? codec : 'function',
      ...definedOf({ stream, fence, existing }),
    },
    createWriter: (context) => writerOf(options, guarantee, encode, context),
  };
}

function assertOptions<T>(options: JetstreamSinkOptions<T>, guarantee: JetstreamGuarantee): void {
  const { subject, stream, createStream, messageId, existing = 'refuse' } = options;
  if (!['exactly-once', 'effectively-once', 'at-least-once'].includes(guarantee)) {
    refuseOption('guarantee', `'${guarantee}' is none of exactly-, effectively-, at-least-once`);
  }
  if (existing !== 'refuse' && existing !== 'takeOver') {
    refuseOption('existing', `'${existing}' is none of refuse, takeOver`);
  }
  if (stream === undefined && typeof subject !== 'string') {
    refuseOption('stream', 'where the subject is a function, the stream must be named');
  }
  if (createStream !== undefined && stream === undefined) {
    refuseOption('stream', 'a stream that is to be created must be named');
  }
  if (messageId !== undefined && guarantee !== 'effectively-once') {
    refuseOption('messageId', `a sink that is ${guarantee} needs no ids of messages`);
  }
}

function writerOf<T>(
  options: JetstreamSinkOptions<T>,
  guarantee: JetstreamGuarantee,
  encode: MessageEncoder,
  context: SinkContext,
): SinkWriter {
  const { nats = {}, subject, existing } = options;
  const connect = <R>(make: (connection: StreamConnection) => R | Promise<R>): Promise<R> =>
    connectToStream(
      nats,
      context,
      (link) => streamFor(link, options),
      async (connection) => {
        if (typeof subject === 'string') connection.check.checkSubject(subject);
        const fenceBase = fenceBaseOf(options, connection.stream.name);
        await publishFormer({ connection, guarantee, fenceBase, existing });
        return make(connection);
      },
    );
  if (guarantee === 'at-least-once' || context.checkpoints === 'off') {
    return new DirectMessagesWriter({ context, encode, connect: () => connect(directConnection) });
  }
  const staged = (
    connection: StreamConnection,
  ): MessageDestination | Promise<MessageDestination> =>
    guarantee === 'exactly-once'
      ? fencedDestination(connection, fenceBaseOf(options, connection.stream.name), existing)
      : deduplicated(connection);
  return new StagedMessagesWriter({ context, encode, connect: () => connect(staged) });
}

function streamFor<T>(link: NatsLink, options: JetstreamSinkOptions<T>): Promise<SinkStream> {
  const { stream, subject, createStream } = options;
  const create =
    createStream &&
    (() => {
      const subjects = createStream.subjects ?? (typeof subject === 'string' ? [subject] : []);
      return newStreamConfig(createStream, [...subjects, ...fencesBeside(options, subjects)]);
    });
  if (stream !== undefined) return openSinkStream(link, stream, create);
  return streamTaking(link, subject as string).then((name) => {
    if (name !== undefined) return openSinkStream(link, name, undefined);
    const detail = `no stream takes "${String(subject)}"; create one, or name it with createStream`;
    throw new MillraceError('ERR_NATS_STREAM_UNFIT', detail);
  });
}

function deduplicated(connection: StreamConnection): MessageDestination {
  const { name, duplicateWindowMs } = connection.stream;
  if (duplicateWindowMs <= 0) {
    throw new MillraceError('ERR_DUPLICATE_WINDOW', `stream ${name} remembers no ids of messages`);
  }
  return new DeduplicatedDestination(connection);
}

const fenceBaseOf = <T>({ fence, subject }: JetstreamSinkOptions<T>, stream: string): string =>
  fence ?? `${typeof subject === 'string' ? subject : stream}.fence`;

/** The fences' subjects for a new stream whose others do not take them. */
function fencesBeside<T>(
  options: JetstreamSinkOptions<T>,
  subjects: readonly string[],
): readonly string[] {
  const base = fenceBaseOf(options, options.stream!);
  return subjects.some((filter) => takesSubject(filter, `${base}.>`)) ? [] : [`${base}.>`];
}

function withMessageId<T>(
  encode: MessageEncoder,
  messageId: ((record: T) => string) | undefined,
): MessageEncoder {
  if (messageId === undefined) return encode;
  return (record, kind) => {
    const message = encode(record, kind);
    if (message === undefined) return undefined;
    const id = [messageIdHeader, messageId(record as T)] as const;
    return { ...message, headers: [...(message.headers ?? []), id] };
  };
}

const definedOf = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
