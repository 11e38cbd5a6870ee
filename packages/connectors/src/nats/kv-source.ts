import type { Source, Split } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import { assertNatsSettings } from './connection-options.js';
import { plainConsumption } from './consumption.js';
import { type KvRecord, kvDecoder } from './kv-record.js';
import { LatestConsumption } from './latest-consumption.js';
import { type DecodeOptions, decodeSettings, messageDecoder } from './message-codec.js';
import { NatsReader, type OpenedSplit } from './nats-reader.js';
import type { NatsSettings } from './nats-settings.js';
import type { JetstreamMessage, ReceivedMessage } from './received-message.js';
import { StreamCursor } from './stream-cursor.js';
import { streamEnumerator } from './stream-enumerator.js';
import { StreamFeed } from './stream-feed.js';
import type { StreamPosition } from './stream-position.js';
import { requireStream, startPosition } from './stream-start.js';
import { assertFilters, assertName } from './subject-filter.js';

/** Which keys to read, and what their values are. */
export interface KvSourceOptions<V>
  extends Pick<DecodeOptions<V, V, JetstreamMessage>, 'codec' | 'schema'> {
  /** How to reach the server. Default: `127.0.0.1:4222`. */
  readonly nats?: NatsSettings | undefined;
  readonly bucket: string;
  /** Keys to read, with wildcards: `user.*`, `user.>`. Default: all. */
  readonly keys?: string | readonly string[] | undefined;
  /**
   * What to read of what is there at first: the `latest` value of each key, or `all` that the
   * bucket's history holds. Default `latest`.
   */
  readonly from?: 'latest' | 'all' | undefined;
  /**
   * Whether to end when all that the bucket had at the first start of the job is read, and with it
   * what was put in its place until then: not before reading has caught up. Default false.
   */
  readonly bounded?: boolean | undefined;
}

/**
 * A bucket as a changelog: what is in it, then each change, in the order of revisions. Records are
 * {@link KvRecord}s; their event times are when the server stored them.
 *
 * After a restart it goes on behind the last revision that the checkpoint has. A bucket forgets
 * values that were replaced, beyond its history, and with `from: 'latest'` so does the source in
 * what was there at first: a value may be missing the second time if another one of the same key
 * follows it. The last change of each key is never missing, so what is kept by key ends up the same.
 * With `from: 'all'`, what is still in the history comes again exactly.
 *
 * A bucket that is missing, was made anew or ends before the position fails the job as
 * ERR_SOURCE_CHANGED; so does another change at the position, where the one that was read has not
 * been replaced since. Not noticed: keys that expire in a bucket that keeps no markers of it, and a
 * purge of the bucket's stream as a whole, as neither leaves a trace.
 *
 * @throws ERR_INVALID_OPTION
 * @example
 * job.source('limits', kvSource({ bucket: 'limits', schema: LimitSchema }), watermarks())
 */
export function kvSource<V = unknown>(options: KvSourceOptions<V>): Source<KvRecord<V>> {
  const { nats = {}, bucket, from = 'latest', bounded = false } = options;
  assertNatsSettings(nats);
  assertName('bucket', bucket);
  if (from !== 'latest' && from !== 'all') {
    refuseOption('from', `"${String(from)}" is none of latest and all`);
  }
  const filters = filtersOf(options.keys);
  const decode = kvDecoder(messageDecoder<V, V, ReceivedMessage>(options));
  const position = { id: bucket, position: positionIn(`KV_${bucket}`, { from, bounded }) };
  const openCursor = (split: Split, opened: OpenedSplit): StreamCursor<KvRecord<V>> => {
    const start = split.position as StreamPosition;
    const { snapshotEnd } = start;
    const { context } = opened;
    const feed = new StreamFeed({
      ...opened,
      inboxPrefix: nats.inboxPrefix,
      split: split.id,
      start,
      consumption:
        snapshotEnd === undefined
          ? plainConsumption(context, filters)
          : new LatestConsumption(context, filters, snapshotEnd),
      isFiltered: true,
      onTruncated: 'expected',
      // What was replaced since the start is behind the end, or it would be missing.
      splitEnd: 'caughtUp',
      fromFirst: true,
    });
    return new StreamCursor(split.id, start, feed, decode);
  };
  return {
    type: 'kv',
    replay: 'exact',
    bounded,
    settings: { nats, bucket, filters, from, ...decodeSettings(options) },
    createEnumerator: (context, snapshot) => streamEnumerator(nats, context, [position], snapshot),
    createReader: (context) => new NatsReader(nats, context, openCursor),
  };
}

/** The name of the bucket may be that of another one, whose mirror it is. */
function filtersOf(keys: KvSourceOptions<unknown>['keys']): readonly string[] {
  if (keys === undefined) return ['$KV.*.>'];
  const list = typeof keys === 'string' ? [keys] : keys;
  if (list.length === 0) refuseOption('keys', 'there is none');
  assertFilters('keys', list);
  return list.map((key) => `$KV.*.${key}`);
}

function positionIn(
  stream: string,
  { from, bounded }: { readonly from: 'latest' | 'all'; readonly bounded: boolean },
) {
  return async (link: OpenedSplit['link']): Promise<StreamPosition> => {
    const facts = await requireStream(link, stream);
    const options = { start: 'first', bounded } as const;
    const start = await startPosition(link, facts, undefined, options);
    return from === 'latest' ? { ...start, snapshotEnd: facts.last } : start;
  };
}
