import { type Duration, durationMs, MillraceError } from '@millrace/core';
import {
  type RecordBatch,
  RecordFailure,
  RecordKind,
  type Sink,
  type SinkContext,
  type SinkWriter,
} from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { assertNatsSettings } from './connection-options.js';
import { type DirectConnection, DirectMessagesWriter } from './direct-messages-writer.js';
import { InFlight } from './in-flight.js';
import { MessageCheck } from './message-check.js';
import { type EncodeOptions, type MessageEncoder, messageEncoder } from './message-encoder.js';
import { withHeaders } from './message-headers.js';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import { openNats } from './open-nats.js';
import { type OutgoingMessage, sizeOf } from './outgoing-message.js';
import type { PublishOutcome } from './publish-outcome.js';
import { readPublishPermission } from './publish-permissions.js';

/** Where a sink of core NATS publishes, and whether it waits for replies. */
export interface NatsSinkOptions<T> extends EncodeOptions<T> {
  readonly nats?: NatsSettings | undefined;
  /** Each message is a request that somebody has to answer. */
  readonly reply?: NatsReply | undefined;
}

export interface NatsReply {
  /** After which a request counts as not answered, and is made again. Default 5 s. */
  readonly timeout?: Duration | undefined;
  /** What it throws fails the job. Default: any reply does. */
  readonly check?: ((reply: Uint8Array) => void) | undefined;
}

/**
 * A sink that publishes each record on core NATS, to whoever listens just then.
 *
 * Without `reply` at most once: what is on its way when a connection breaks is lost, and so is what
 * nobody listens to. It waits for a server that is more than 8 MiB behind. With `reply` at least
 * once: requests wait for their answers, some thousand at a time, and those without are made again,
 * together with what came after them.
 *
 * @example
 * sinkTo('pages', natsSink({ subject: 'pager', reply: { timeout: '2s' } }))
 */
export function natsSink<T = unknown>(options: NatsSinkOptions<T>): Sink<T> {
  const { nats = {}, reply, subject, codec = 'json' } = options;
  assertNatsSettings(nats);
  const encode = messageEncoder(options);
  const timeoutMs =
    reply?.timeout === undefined
      ? connectorLimits.natsPublishTimeoutMs
      : durationMs(reply.timeout, 'reply.timeout');
  return {
    type: 'nats',
    guarantee: reply === undefined ? 'at-most-once' : 'at-least-once',
    settings: {
      nats,
      subject: typeof subject === 'string' ? subject : 'function',
      codec: typeof codec === 'string' ? codec : 'function',
      ...(reply !== undefined && { timeoutMs }),
    },
    createWriter: (context) => {
      if (reply === undefined) return new PublishingWriter(context, nats, encode);
      const connect = (): Promise<DirectConnection> =>
        requesting(nats, context, timeoutMs, reply.check);
      return new DirectMessagesWriter({ context, encode, connect });
    },
  };
}

/** Publishes without an answer. */
class PublishingWriter implements SinkWriter {
  private readonly context: SinkContext;
  private readonly nats: NatsSettings;
  private readonly encode: MessageEncoder;
  private link: NatsLink | undefined;
  private inFlight: InFlight | undefined;
  /** Published since the server last said that it has all before. */
  private bytes = 0;
  private check: MessageCheck | undefined;

  constructor(context: SinkContext, nats: NatsSettings, encode: MessageEncoder) {
    this.context = context;
    this.nats = nats;
    this.encode = encode;
  }

  async open(): Promise<void> {
    this.link = await openNats(this.nats, this.context, 'sink');
    this.inFlight = new InFlight(this.link);
    this.check = await checkFor(this.link, this.nats, this.context);
  }

  write(batch: RecordBatch): undefined | Promise<void> {
    const link = this.link!;
    if (link.failed !== undefined) throw link.failed;
    // While it is broken the client would drop them without a word.
    if (!link.isOpen()) return link.whenOpen().then(() => this.publish(batch));
    return this.publish(batch);
  }

  async flush(): Promise<void> {
    const link = this.link!;
    await link.whenOpen();
    await this.inFlight!.guard(link.connection.flush()).catch(() => undefined);
    this.bytes = 0;
    if (link.failed !== undefined) throw link.failed;
  }

  finish(): Promise<void> {
    return this.flush();
  }

  cancel(): void {
    this.link?.stopWaiting();
  }

  async close(): Promise<void> {
    await this.link?.close();
  }

  /** The client keeps all that the server has not taken: the sender waits when that is much. */
  private publish({ values, kinds, count }: RecordBatch): undefined | Promise<void> {
    const { connection } = this.link!;
    let index = 0;
    try {
      for (; index < count; index += 1) {
        const message = this.encode(values[index], kinds?.[index] ?? RecordKind.insert)!;
        this.check!.check(message);
        connection.publish(message.subject, message.payload, withHeaders(message.headers));
        this.bytes += message.subject.length + sizeOf(message);
      }
    } catch (cause) {
      throw new RecordFailure(index, this.context.operatorId, cause);
    }
    return this.bytes > connectorLimits.natsInFlightBytesMax ? this.flush() : undefined;
  }
}

async function requesting(
  nats: NatsSettings,
  context: SinkContext,
  timeout: number,
  check: NatsReply['check'],
): Promise<DirectConnection> {
  const link = await openNats(nats, context, 'sink');
  const inFlight = new InFlight(link);
  const send = async (message: OutgoingMessage): Promise<PublishOutcome> => {
    const { subject, payload } = message;
    let reply: Uint8Array;
    try {
      const request = link.connection.request(subject, payload, {
        ...withHeaders(message.headers),
        timeout,
      });
      reply = (await inFlight.guard(request)).data;
    } catch (error) {
      if (link.failed !== undefined) throw link.failed;
      return { kind: 'unanswered', why: `"${subject}": ${String(error)}` };
    }
    check?.(reply);
    return { kind: 'stored', sequence: 0, isDuplicate: false };
  };
  return { link, check: await checkFor(link, nats, context), send };
}

async function checkFor(
  link: NatsLink,
  nats: NatsSettings,
  context: SinkContext,
): Promise<MessageCheck> {
  const permission = await readPublishPermission(nats, context);
  const bytesMax = link.connection.info?.max_payload;
  if (bytesMax !== undefined) return new MessageCheck({ bytesMax, stream: undefined, permission });
  throw new MillraceError('ERR_NATS_UNREACHABLE', 'the server has not told what it takes');
}
