import { MillraceError } from '@millrace/core';
import { RecordKind, type Sink, type SinkContext, type SinkWriter } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import { assertNatsSettings } from './connection-options.js';
import { DirectMessagesWriter } from './direct-messages-writer.js';
import type { OpeningFacts } from './fence-opening.js';
import { publishFormer } from './former-output.js';
import { type MessageEncoder, type PayloadCodec, payloadEncoder } from './message-encoder.js';
import type { NatsSettings } from './nats-settings.js';
import type { HeaderPair } from './outgoing-message.js';
import { openSinkStream } from './sink-stream.js';
import { StagedMessagesWriter } from './staged-messages-writer.js';
import { connectToStream, directConnection, fencedDestination } from './stream-connection.js';
import { assertName } from './subject-filter.js';

/** Where a KV sink writes, and what. */
export interface KvSinkOptions<T, V = T> {
  readonly nats?: NatsSettings | undefined;
  /** Name of the bucket. */
  readonly bucket: string;
  /** Letters, digits and `-/_=.`; what begins with `millrace.` is the sink's own. */
  readonly key: (record: T) => string;
  /** Default: the record. */
  readonly value?: ((record: T) => V) | undefined;
  /** How a value becomes bytes. Default `json`. */
  readonly codec?: PayloadCodec<V> | undefined;
  /**
   * `exactly-once` (default): the bucket's stream must allow atomic batches. `at-least-once`: after
   * a restart values are written again, so that readers may see a key go back for a moment; in the
   * end the last value stands. Without checkpoints it is that in any case.
   */
  readonly guarantee?: 'exactly-once' | 'at-least-once' | undefined;
  /** As for `jetstreamSink`. */
  readonly existing?: OpeningFacts['existing'] | undefined;
  /** Makes the bucket where there is none. */
  readonly createBucket?: NewBucket | undefined;
}

/** A bucket that a sink makes where there is none; it allows atomic batches. */
export interface NewBucket {
  /** Values of a key that are kept: 1 to 64. Default 1. */
  readonly history?: number | undefined;
  /** Servers that have a copy: 1 to 5. Default 1. */
  readonly replicas?: number | undefined;
  /** Default `file`. */
  readonly storage?: 'file' | 'memory' | undefined;
}

/**
 * A sink that keeps the last value of each key in a KV bucket. Records of a changelog put their
 * value or delete their key; all others put it.
 *
 * Exactly once, values of one checkpoint become visible in batches of up to 900, behind a fence
 * (see `jetstreamSink`) that is a key of the bucket: `millrace.fence.…`. A key that is none, or a
 * value that is too large, fails the job as ERR_SINK_RECORD with its position.
 *
 * @example
 * sinkTo('balances', kvSink({ bucket: 'balances', key: (b) => b.account }))
 */
export function kvSink<T, V = T>(options: KvSinkOptions<T, V>): Sink<T> {
  const { nats = {}, bucket, guarantee = 'exactly-once', existing = 'refuse', codec } = options;
  assertNatsSettings(nats);
  assertName('bucket', bucket);
  if (guarantee !== 'exactly-once' && guarantee !== 'at-least-once') {
    refuseOption('guarantee', `'${guarantee}' is none of exactly-once, at-least-once`);
  }
  if (existing !== 'refuse' && existing !== 'takeOver') {
    refuseOption('existing', `'${existing}' is none of refuse, takeOver`);
  }
  const encode = entryEncoder(options);
  return {
    type: 'kv',
    guarantee,
    acceptsKinds: true,
    settings: { nats, bucket, existing, codec: typeof codec === 'function' ? 'function' : codec },
    createWriter: (context) => writerOf(options, encode, context),
  };
}

function writerOf<T, V>(
  { nats = {}, bucket, guarantee, existing, createBucket }: KvSinkOptions<T, V>,
  encode: MessageEncoder,
  context: SinkContext,
): SinkWriter {
  const stream = `KV_${bucket}`;
  const create = createBucket && (() => newBucketConfig(bucket, createBucket));
  const find = (link: Parameters<typeof openSinkStream>[0]) => openSinkStream(link, stream, create);
  const fenceBase = `${subjectOf(bucket, ownKeys)}fence`;
  if (guarantee === 'at-least-once' || context.checkpoints === 'off') {
    const connect = () =>
      connectToStream(nats, context, find, async (connection) => {
        await publishFormer({ connection, guarantee: 'at-least-once', fenceBase, existing });
        return directConnection(connection);
      });
    return new DirectMessagesWriter({ context, encode, connect });
  }
  return new StagedMessagesWriter({
    context,
    encode,
    connect: () =>
      connectToStream(nats, context, find, (connection) =>
        fencedDestination(connection, fenceBase, existing),
      ),
  });
}

function entryEncoder<T, V>(options: KvSinkOptions<T, V>): MessageEncoder {
  const { bucket, key, value = (record: T) => record as unknown as V, codec = 'json' } = options;
  const payloadOf = payloadEncoder<V>(codec);
  return (record, kind) => {
    if (kind === RecordKind.updateBefore) return undefined;
    const subject = subjectOf(bucket, checkedKey(key(record as T)));
    if (kind === RecordKind.delete) return { subject, payload: nothing, headers: deletion };
    return { subject, payload: payloadOf(value(record as T)), headers: undefined };
  };
}

const subjectOf = (bucket: string, key: string): string => `$KV.${bucket}.${key}`;

const ownKeys = 'millrace.';
const nothing = new Uint8Array();
const deletion: readonly HeaderPair[] = [['KV-Operation', 'DEL']];

function checkedKey(key: string): string {
  const isKey = typeof key === 'string' && /^[-/_=.a-zA-Z0-9]+$/.test(key);
  if (isKey && !/^\.|\.$|\.\./.test(key) && !key.startsWith(ownKeys)) return key;
  throw new MillraceError('ERR_SINK_RECORD', `${JSON.stringify(key)} is no key`, { field: 'key' });
}

/** As clients for buckets make them, with atomic batches. */
function newBucketConfig(
  bucket: string,
  { history = 1, replicas = 1, storage = 'file' }: NewBucket,
): Readonly<Record<string, unknown>> {
  return {
    subjects: [subjectOf(bucket, '>')],
    retention: 'limits',
    discard: 'new',
    storage,
    num_replicas: replicas,
    max_msgs_per_subject: history,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_atomic: true,
  };
}
