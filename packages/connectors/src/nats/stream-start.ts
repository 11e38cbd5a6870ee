import { MillraceError } from '@millrace/core';
import { assertWhole, refuseOption } from '../option-checks.js';
import { apiErrorOf, askJetStream } from './jetstream-api.js';
import type { NatsLink } from './nats-link.js';
import { lastOfSubject, readStream, type StreamFacts } from './stream-facts.js';
import type { StreamPosition } from './stream-position.js';

/** Where reading begins when no checkpoint says it. */
export type StreamStart =
  /** The first message that is there. */
  | 'first'
  /** What is stored after the job has started for the first time. */
  | 'new'
  /** The first message stored at this time or later, epoch ms. */
  | { readonly timeMs: number }
  | { readonly sequence: number };

/** @throws ERR_INVALID_OPTION */
export function assertStart(start: StreamStart): void {
  if (start === 'first' || start === 'new') return;
  if ('sequence' in start) assertWhole('start.sequence', start.sequence, 1);
  else if ('timeMs' in start) assertWhole('start.timeMs', start.timeMs, 0);
  else refuseOption('start', 'start is none of first, new, { timeMs } and { sequence }');
}

/**
 * The position a split begins with, which later starts of the job go on from.
 *
 * @param filter undefined: all subjects of the stream
 * @throws ERR_SOURCE_FAILED, ERR_NATS_NO_JETSTREAM
 */
export async function startPosition(
  link: NatsLink,
  stream: StreamFacts,
  filter: string | undefined,
  options: { readonly start: StreamStart; readonly bounded: boolean },
): Promise<StreamPosition> {
  const { start, bounded } = options;
  const sequence = await sequenceBefore(link, stream, start);
  const { name, created, retention } = stream;
  const queue = retention === 'limits' ? {} : { retention };
  const position = { stream: name, created, sequence, ...queue };
  if (!bounded) return position;
  // The last message of the split, so that the end is known when it comes; unless it is removed.
  const last = filter === undefined ? undefined : await lastOfSubject(link, name, filter);
  return { ...position, end: last ?? stream.last };
}

/** @throws ERR_SOURCE_FAILED when there is none */
export async function requireStream(link: NatsLink, name: string): Promise<StreamFacts> {
  const facts = await readStream(link, name);
  if (facts !== undefined) return facts;
  throw new MillraceError('ERR_SOURCE_FAILED', `there is no stream "${name}"`);
}

async function sequenceBefore(
  link: NatsLink,
  stream: StreamFacts,
  start: StreamStart,
): Promise<number> {
  if (start === 'first') return stream.first - 1;
  if (start === 'new') return stream.last;
  if ('sequence' in start) return start.sequence - 1;
  return sequenceBeforeTime(link, stream, start.timeMs);
}

/** A consumer says where it begins, whatever the version of the server. */
async function sequenceBeforeTime(
  link: NatsLink,
  { name }: StreamFacts,
  timeMs: number,
): Promise<number> {
  const config = {
    deliver_policy: 'by_start_time',
    opt_start_time: new Date(timeMs).toISOString(),
    ack_policy: 'none',
    mem_storage: true,
    num_replicas: 1,
  };
  const answer = await askJetStream<{
    readonly name: string;
    readonly delivered: { readonly stream_seq: number };
  }>(link, `CONSUMER.CREATE.${name}`, { stream_name: name, config });
  if (answer.error !== undefined) throw apiErrorOf(answer.error, `stream ${name}`);
  askJetStream(link, `CONSUMER.DELETE.${name}.${answer.name}`).catch(() => undefined);
  return answer.delivered!.stream_seq;
}
