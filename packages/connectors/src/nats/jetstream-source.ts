import { MillraceError } from '@millrace/core';
import type { Source, SourceContext, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { refuseOption } from '../option-checks.js';
import { assertNatsSettings } from './connection-options.js';
import { assertConsumerPrefix, type Consumption, plainConsumption } from './consumption.js';
import { type DecodeOptions, decodeSettings, messageDecoder } from './message-codec.js';
import { NatsReader, type OpenedSplit } from './nats-reader.js';
import type { NatsSettings } from './nats-settings.js';
import { QueueConsumption } from './queue-consumption.js';
import type { JetstreamMessage, ReceivedMessage } from './received-message.js';
import { StreamCursor } from './stream-cursor.js';
import { type NamedSplit, streamEnumerator } from './stream-enumerator.js';
import type { StreamFacts } from './stream-facts.js';
import { StreamFeed } from './stream-feed.js';
import type { StreamPosition } from './stream-position.js';
import { assertStart, requireStream, type StreamStart, startPosition } from './stream-start.js';
import { assertFilters, assertName } from './subject-filter.js';

/** Which messages to read, and what their records are. */
export interface JetstreamSourceOptions<V, T = V> extends DecodeOptions<V, T, JetstreamMessage> {
  /** How to reach the server. Default: `127.0.0.1:4222`. */
  readonly nats?: NatsSettings | undefined;
  /** One stream or several; each is a split. */
  readonly stream: string | readonly string[];
  /**
   * Subjects of the stream to read, with wildcards; each is a split, which has its own order,
   * position and watermark. Default: all of them together, in the order of the stream.
   */
  readonly subjects?: readonly string[] | undefined;
  /**
   * For streams of retention `workqueue` or `interest`, which remove what is acknowledged: begin of
   * the names of the consumers that read them, one for each split, which stay when the job ends.
   * Letters, digits, `-` and `_`; of no other job that reads the stream.
   */
  readonly durable?: string | undefined;
  /** Where the first start of the job begins to read. Default `first`. */
  readonly start?: StreamStart | undefined;
  /** Whether to end with what the stream had when the job first started. Default false. */
  readonly bounded?: boolean | undefined;
  /**
   * What to do when the stream has lost messages before they were read, by its limits or a purge:
   * `refuse` fails the job as ERR_SOURCE_CHANGED, `continue` warns and counts them in
   * `natsMessagesTruncated`. Default `refuse`.
   */
  readonly onTruncated?: 'refuse' | 'continue' | undefined;
}

/**
 * A source of messages in JetStream streams; replays exactly, as positions are stream sequences.
 *
 * A chunk's event times are when the server stored the messages: `watermarks()` without a function
 * takes them. A stream of retention `limits` is read without a trace in it, by consumers that
 * end with the job. One of retention `workqueue` or `interest` needs `durable`; a message is
 * acknowledged, and with that removed, when a committed checkpoint has it, and comes again until
 * then, so that such a stream replays from the last checkpoint only and a job without checkpoints
 * removes nothing. At most 65,536 messages are read between two checkpoints.
 *
 * Before it reads on, and each time a consumer was lost, the source compares the stream with its
 * position, and fails as ERR_SOURCE_CHANGED when the stream is missing, was made anew, ends before
 * the position or has another message there. Messages removed before they were read are noticed
 * by the stream's first sequence, within a few seconds while the job runs: exactly when
 * all subjects are read; with `subjects` also where what is gone may have been others' messages.
 * Messages removed one by one in the middle of a stream are not noticed.
 *
 * @throws ERR_INVALID_OPTION
 * @example
 * job.source('payments', jetstreamSource({ stream: 'PAYMENTS', schema: PaymentSchema }),
 *   watermarks((p) => p.at, { outOfOrderness: '4s', idleAfter: '30s' }))
 */
export function jetstreamSource<V = unknown, T = V>(
  options: JetstreamSourceOptions<V, T>,
): Source<T> {
  const { nats = {}, start = 'first', bounded = false, onTruncated = 'refuse' } = options;
  const splits = splitsOf(options);
  assertNatsSettings(nats);
  assertStart(start);
  if (onTruncated !== 'refuse' && onTruncated !== 'continue') {
    refuseOption('onTruncated', `"${onTruncated}" is none of refuse and continue`);
  }
  const decode = messageDecoder<V, T, ReceivedMessage>(options);
  const { durable } = options;
  if (durable !== undefined) assertConsumerPrefix('durable', durable);
  const named = splits.map((each) => namedSplit(each, { start, bounded, durable }));
  const openCursor = (split: Split, opened: OpenedSplit): StreamCursor<T> => {
    const { filter } = declared(splits, split.id);
    const position = split.position as StreamPosition;
    const isFiltered = filter !== undefined;
    const { retention } = position;
    const feed = new StreamFeed({
      ...opened,
      inboxPrefix: nats.inboxPrefix,
      split: split.id,
      start: position,
      consumption: consumptionOf(opened, position, filter, options.durable),
      isFiltered,
      // What others have acknowledged is gone, too.
      onTruncated: retention !== undefined && isFiltered ? 'expected' : onTruncated,
      splitEnd: 'atLast',
      fromFirst: start === 'first',
    });
    return new StreamCursor(split.id, position, feed, decode);
  };
  return {
    type: 'jetstream',
    replay: 'exact',
    bounded,
    settings: {
      nats,
      splits: splits.map(({ id }) => id),
      start,
      onTruncated,
      ...decodeSettings(options),
    },
    createEnumerator: (context: SourceContext, snapshot) =>
      streamEnumerator(nats, context, named, snapshot),
    createReader: (context) => new NatsReader(nats, context, openCursor),
  };
}

function consumptionOf(
  { link, context, checkpoints }: OpenedSplit,
  position: StreamPosition,
  filter: string | undefined,
  durable: string | undefined,
): Consumption {
  const filters = filter === undefined ? [] : [filter];
  const { stream, retention, sequence } = position;
  if (retention === undefined || durable === undefined) return plainConsumption(context, filters);
  const split = { stream, retention, durable, filters, committed: sequence };
  return new QueueConsumption({ link, context, checkpoints, ...split });
}

/** A stream that removes what is acknowledged needs consumers that stay, and a name for them. */
function assertRetention({ name, retention }: StreamFacts, options: SplitOptions): void {
  const { durable, start } = options;
  if (retention === 'limits') {
    if (durable === undefined) return;
    refuseOption(
      'durable',
      `stream ${name} of retention limits is read without a durable consumer`,
    );
  }
  if (durable === undefined) {
    refuseOption('durable', `stream ${name} of retention ${retention} needs a durable consumer`);
  }
  if (start !== 'first') {
    refuseOption(
      'start',
      `stream ${name} of retention ${retention} is read from its first message`,
    );
  }
}

interface SplitOptions {
  readonly start: StreamStart;
  readonly bounded: boolean;
  readonly durable: string | undefined;
}

interface StreamSplit {
  readonly id: string;
  readonly stream: string;
  /** Undefined: all subjects. */
  readonly filter: string | undefined;
}

function splitsOf({
  stream,
  subjects = [],
}: Pick<JetstreamSourceOptions<unknown>, 'stream' | 'subjects'>): StreamSplit[] {
  const streams = typeof stream === 'string' ? [stream] : [...stream];
  if (streams.length === 0) refuseOption('stream', 'there is none');
  for (const name of streams) assertName('stream', name);
  if (new Set(streams).size < streams.length) refuseOption('stream', 'one is named twice');
  if (subjects.length === 0) {
    return streams.map((name) => ({ id: name, stream: name, filter: undefined }));
  }
  if (streams.length > 1) refuseOption('subjects', 'subjects are of one stream, not of several');
  assertFilters('subjects', subjects);
  if (subjects.length > connectorLimits.natsSplitsMax) {
    refuseOption('subjects', `at most ${connectorLimits.natsSplitsMax} splits are possible`);
  }
  return subjects.map((filter) => ({ id: `${streams[0]}/${filter}`, stream: streams[0]!, filter }));
}

function namedSplit({ id, stream, filter }: StreamSplit, options: SplitOptions): NamedSplit {
  return {
    id,
    async position(link) {
      const facts = await requireStream(link, stream);
      assertRetention(facts, options);
      return startPosition(link, facts, filter, options);
    },
  };
}

/** A split that a checkpoint has and the options have not must not be dropped in silence. */
function declared(splits: readonly StreamSplit[], id: string): StreamSplit {
  const found = splits.find((split) => split.id === id);
  if (found !== undefined) return found;
  const detail = `the checkpoint has a position in ${id}, which the options do not name any more`;
  throw new MillraceError('ERR_SOURCE_CHANGED', detail);
}
