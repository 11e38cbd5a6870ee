import type { Random } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { InFlight } from './in-flight.js';
import type { ApiError } from './jetstream-api.js';
import { withHeaders } from './message-headers.js';
import type { NatsLink } from './nats-link.js';
import type { HeaderPair, OutgoingMessage } from './outgoing-message.js';
import type { PublishOutcome } from './publish-outcome.js';

/**
 * Publishes to streams and tells what they answer. Nothing is tried again here. The gate of the
 * link must be open.
 */
export class JetstreamPublisher {
  private readonly link: NatsLink;
  private readonly random: Random;
  private readonly inFlight: InFlight;
  private batches = 0;

  /** @param random makes the ids of batches unlike those of other processes */
  constructor(link: NatsLink, random: Random) {
    this.link = link;
    this.random = random;
    this.inFlight = new InFlight(link);
  }

  /** @throws why the link failed */
  publish(message: OutgoingMessage, more: readonly HeaderPair[] = []): Promise<PublishOutcome> {
    return this.ask(message, [...(message.headers ?? []), ...more]);
  }

  /**
   * Stores messages and a last one together or not at all.
   *
   * @param conditions headers of the last one
   * @param answers `each`: every message is answered, which takes longer, but tells which one is
   *   refused and why; `last`: only the last one is
   * @throws why the link failed
   */
  async publishBatch(
    messages: readonly OutgoingMessage[],
    last: OutgoingMessage,
    conditions: readonly HeaderPair[],
    answers: 'last' | 'each',
  ): Promise<PublishOutcome> {
    const id = this.newBatchId();
    const asked: Promise<PublishOutcome>[] = [];
    for (const [index, message] of messages.entries()) {
      const all = [...(message.headers ?? []), ...inBatch(id, index + 1)];
      if (answers === 'each') asked.push(this.ask(message, all));
      else {
        const { subject, payload } = message;
        this.link.connection.publish(subject, payload, withHeaders(all));
      }
    }
    for (const outcome of await Promise.all(asked)) {
      if (outcome.kind !== 'stored') return outcome;
    }
    const end: HeaderPair = ['Nats-Batch-Commit', '1'];
    return this.ask(last, [...inBatch(id, messages.length + 1), end, ...conditions]);
  }

  private newBatchId(): string {
    this.batches += 1;
    const bits = Math.floor(this.random.next() * 2 ** 48);
    return `millrace-${bits.toString(16)}-${this.batches}`;
  }

  private async ask(
    { subject, payload }: OutgoingMessage,
    pairs: readonly HeaderPair[],
  ): Promise<PublishOutcome> {
    const { connection } = this.link;
    const timeout = connectorLimits.natsPublishTimeoutMs;
    try {
      const request = connection.request(subject, payload, { ...withHeaders(pairs), timeout });
      const { data } = await this.inFlight.guard(request);
      // A message of a batch that is not the last is answered with nothing.
      if (data.length === 0) return { kind: 'stored', sequence: 0, isDuplicate: false };
      return outcomeOf(JSON.parse(new TextDecoder().decode(data)) as Answer);
    } catch (error) {
      if (this.link.failed !== undefined) throw this.link.failed;
      return { kind: 'unanswered', why: error instanceof Error ? error.message : String(error) };
    }
  }
}

interface Answer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: ApiError;
}

function outcomeOf({ error, seq, duplicate }: Answer): PublishOutcome {
  if (error !== undefined) return { kind: 'refused', error };
  if (seq === undefined) return { kind: 'unanswered', why: 'the answer is none of a stream' };
  return { kind: 'stored', sequence: seq, isDuplicate: duplicate === true };
}

const inBatch = (id: string, sequence: number): readonly HeaderPair[] => [
  ['Nats-Batch-Id', id],
  ['Nats-Batch-Sequence', String(sequence)],
];

/** Bytes that belonging to a batch adds to the headers of a message, at most. */
export const batchHeaderBytes = 128;
