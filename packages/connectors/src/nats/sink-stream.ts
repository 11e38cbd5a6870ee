import { type Duration, durationMs, MillraceError } from '@millrace/core';
import { type ApiAnswer, apiErrorCodes, askJetStream } from './jetstream-api.js';
import { batchHeaderBytes } from './jetstream-publisher.js';
import { takesSubject } from './message-subject.js';
import type { NatsLink } from './nats-link.js';
import { refusalText } from './publish-outcome.js';

/** A stream that a sink makes where there is none. */
export interface NewStream {
  /** Subjects it takes, besides those of the sink's fences. Default: the sink's subject. */
  readonly subjects?: readonly string[] | undefined;
  /** Servers that have a copy: 1 to 5. Default 1. */
  readonly replicas?: number | undefined;
  /** Default `file`. */
  readonly storage?: 'file' | 'memory' | undefined;
  /** After which messages are dropped. Default: never. */
  readonly maxAge?: Duration | undefined;
  /** Beyond which old messages are dropped. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** For how long ids of messages are remembered. Default: the server's, 2 min. */
  readonly duplicateWindow?: Duration | undefined;
}

/** What a sink has to know of a stream, as its leader told it. */
export interface SinkStream {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: string;
  readonly atomic: 'allowed' | 'not allowed';
  /** For how long ids of messages are remembered, ms. */
  readonly duplicateWindowMs: number;
  /** Bytes of a message with its headers that both server and stream take, in a batch, too. */
  readonly messageBytesMax: number;
}

interface StreamConfig {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly retention: string;
  readonly allow_atomic?: boolean;
  readonly duplicate_window?: number;
  readonly max_msg_size?: number;
}

type StreamAnswer = ApiAnswer<{ readonly config: StreamConfig }>;

/**
 * Asks for a stream; makes it where there is none and `create` says how. What is returned is what
 * the server says of it then.
 *
 * @throws MillraceError ERR_NATS_STREAM_UNFIT when there is none; ERR_NATS_NO_JETSTREAM
 */
export async function openSinkStream(
  link: NatsLink,
  name: string,
  create: (() => Readonly<Record<string, unknown>>) | undefined,
): Promise<SinkStream> {
  const found = await askJetStream<{ config: StreamConfig }>(link, `STREAM.INFO.${name}`);
  if (found.error?.err_code !== apiErrorCodes.streamNotFound) return streamOf(link, name, found);
  if (create === undefined) throw unfit(`there is no stream ${name}`);
  const made: StreamAnswer = await askJetStream(link, `STREAM.CREATE.${name}`, {
    ...create(),
    name,
  });
  // Another subtask may have been quicker.
  if (made.error !== undefined && made.error.err_code !== streamExists) {
    throw unfit(`stream ${name} cannot be created: ${refusalText(made.error)}`);
  }
  return streamOf(link, name, await askJetStream(link, `STREAM.INFO.${name}`));
}

/** The stream that takes a subject; undefined: none does. */
export async function streamTaking(link: NatsLink, subject: string): Promise<string | undefined> {
  const answer = await askJetStream<{ readonly streams: readonly string[] | null }>(
    link,
    'STREAM.NAMES',
    { subject },
  );
  if (answer.error !== undefined) throw unfit(`"${subject}": ${refusalText(answer.error)}`);
  return answer.streams?.[0];
}

/** How a stream is made. */
export function newStreamConfig(
  options: NewStream,
  subjects: readonly string[],
): Readonly<Record<string, unknown>> {
  const { replicas = 1, storage = 'file', maxAge, maxBytes = -1, duplicateWindow } = options;
  const nanoseconds = (duration: Duration, option: string): number =>
    durationMs(duration, option) * 1e6;
  return {
    subjects,
    retention: 'limits',
    storage,
    num_replicas: replicas,
    max_bytes: maxBytes,
    allow_atomic: true,
    ...(maxAge !== undefined && { max_age: nanoseconds(maxAge, 'maxAge') }),
    ...(duplicateWindow !== undefined && {
      duplicate_window: nanoseconds(duplicateWindow, 'duplicateWindow'),
    }),
  };
}

/** @throws MillraceError ERR_NATS_STREAM_UNFIT naming what is to be changed */
export function requireFence(stream: SinkStream, fence: string, base: string): void {
  const { name, atomic, retention, subjects } = stream;
  if (atomic === 'not allowed') {
    throw unfit(
      `stream ${name} does not allow atomic batches, which exactly-once needs: set allow_atomic`,
    );
  }
  if (retention === 'interest') {
    throw unfit(
      `stream ${name} drops what nobody waits for (retention interest), so that a fence is lost: ` +
        'exactly-once needs retention limits',
    );
  }
  if (subjects.some((filter) => takesSubject(filter, fence))) return;
  throw unfit(`stream ${name} does not take the fence "${fence}": add "${base}.>" to its subjects`);
}

/** `stream name already in use`, with another configuration. */
const streamExists = 10_058;

function streamOf(link: NatsLink, name: string, answer: StreamAnswer): SinkStream {
  const { error, config } = answer;
  if (error !== undefined && error.code >= 500) {
    throw new MillraceError('ERR_NATS_NO_JETSTREAM', `stream ${name}: ${refusalText(error)}`);
  }
  if (config === undefined) throw unfit(`stream ${name}: ${error && refusalText(error)}`);
  const ofServer = link.connection.info?.max_payload ?? Infinity;
  const { max_msg_size: ofStream = -1 } = config;
  const allowed = (may: boolean | undefined) => (may === true ? 'allowed' : 'not allowed');
  return {
    name,
    subjects: config.subjects ?? [],
    retention: config.retention,
    atomic: allowed(config.allow_atomic),
    duplicateWindowMs: (config.duplicate_window ?? 0) / 1e6,
    messageBytesMax: (ofStream < 0 ? ofServer : Math.min(ofServer, ofStream)) - batchHeaderBytes,
  };
}

const unfit = (detail: string): MillraceError => new MillraceError('ERR_NATS_STREAM_UNFIT', detail);
