import { MillraceError } from '@millrace/core';
import type { Counter, SourceContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { ConsumerConfig } from './consumer-keeper.js';
import {
  type Consumption,
  consumerName,
  filterConfig,
  isConsumerNameOf,
  type ReceivedUpTo,
} from './consumption.js';
import { apiErrorOf, askJetStream } from './jetstream-api.js';
import type { NatsLink } from './nats-link.js';
import { nanoseconds } from './pull-consumer.js';
import type { ReceivedMessage } from './received-message.js';
import type { QueueRetention } from './stream-facts.js';

export interface QueueConsumptionParts {
  readonly link: NatsLink;
  readonly context: SourceContext;
  readonly stream: string;
  readonly retention: QueueRetention;
  /** Begin of the names of its consumers. */
  readonly durable: string;
  readonly filters: readonly string[];
  /** Up to here a checkpoint has all messages. */
  readonly committed: number;
  /** Whether a checkpoint has been taken ahead of it. */
  readonly checkpoints: 'begun' | 'none yet';
}

/**
 * Reads a stream that removes messages when they are acknowledged, which happens when a committed
 * checkpoint has them. What is not acknowledged comes again from the next consumer, in order, and
 * is passed over when it was received before.
 */
export class QueueConsumption implements Consumption {
  readonly isQueue = true;
  private readonly parts: QueueConsumptionParts;
  private readonly redeliveries: Counter;
  /** Reply subjects of messages that no committed checkpoint has, by sequence, in order. */
  private readonly open = new Map<number, string>();
  /** Up to which sequence the job had taken messages at checkpoints that are not committed. */
  private checkpoints: { readonly id: number; readonly sequence: number }[] = [];
  private hasCheckpoints: boolean;
  private committed: number;

  constructor(parts: QueueConsumptionParts) {
    this.parts = parts;
    this.committed = parts.committed;
    this.hasCheckpoints = parts.checkpoints === 'begun';
    this.redeliveries = parts.context.metrics.counter('natsRedeliveries');
  }

  /** The server sends no more before some are acknowledged. */
  get isHeldBack(): boolean {
    return this.open.size >= connectorLimits.natsAckPendingMax;
  }

  async nextConsumer(_received: ReceivedUpTo): Promise<ConsumerConfig> {
    const { durable, filters, retention } = this.parts;
    const name = consumerName(durable);
    const config = {
      name,
      durable_name: name,
      ...filterConfig(filters),
      ack_policy: 'explicit',
      ack_wait: nanoseconds(connectorLimits.natsAckWaitMs),
      max_ack_pending: connectorLimits.natsAckPendingMax,
    };
    if (retention === 'interest') {
      return { ...config, deliver_policy: 'by_start_sequence', opt_start_seq: this.committed + 1 };
    }
    // A work queue has one consumer for a message, which begins with the first that is there.
    await this.removeOthers(name);
    return { ...config, deliver_policy: 'all' };
  }

  /** Without a consumer a stream of retention `interest` drops its messages: first the new one. */
  async created(name: string): Promise<void> {
    if (this.parts.retention === 'interest') await this.removeOthers(name);
  }

  /** @throws ERR_INVALID_OPTION when nothing will ever be acknowledged */
  took({ sequence, reply }: ReceivedMessage): void {
    this.open.set(sequence, reply);
    if (!this.isHeldBack || this.hasCheckpoints) return;
    const detail =
      `stream ${this.parts.stream} removes messages when they are acknowledged; ` +
      'that is when a checkpoint has them, and this job takes none';
    throw new MillraceError('ERR_INVALID_OPTION', detail);
  }

  again({ sequence, reply }: ReceivedMessage): void {
    this.redeliveries.inc();
    if (sequence <= this.committed) this.acknowledge(reply);
    else if (this.open.has(sequence)) this.open.set(sequence, reply);
  }

  /** A checkpoint has all messages up to a sequence. */
  snapshot(id: number, sequence: number): void {
    this.hasCheckpoints = true;
    this.checkpoints.push({ id, sequence });
  }

  /** What is not acknowledged now, as the connection is broken, is when it comes again. */
  commit(id: number): void {
    const covered = this.checkpoints.filter((each) => each.id <= id).at(-1);
    this.checkpoints = this.checkpoints.filter((each) => each.id > id);
    if (covered === undefined) return;
    this.committed = Math.max(this.committed, covered.sequence);
    for (const [sequence, reply] of this.open) {
      if (sequence > this.committed) break;
      this.open.delete(sequence);
      this.acknowledge(reply);
    }
  }

  private acknowledge(reply: string): void {
    const { link } = this.parts;
    if (link.isOpen()) link.connection.publish(reply, '+ACK');
  }

  /** Those of its own that are left over; others' hold messages for others. */
  private async removeOthers(name: string): Promise<void> {
    const { link, stream, durable, filters } = this.parts;
    for (const { name: other, config } of await this.consumers()) {
      if (other === name || !isConsumerNameOf(durable, other)) continue;
      if (config.filter_subject !== filters[0]) continue;
      await askJetStream(link, `CONSUMER.DELETE.${stream}.${other}`);
    }
  }

  private async consumers(): Promise<readonly ListedConsumer[]> {
    const { link, stream } = this.parts;
    const found: ListedConsumer[] = [];
    for (;;) {
      const subject = `CONSUMER.LIST.${stream}`;
      const answer = await askJetStream<ConsumerPage>(link, subject, { offset: found.length });
      if (answer.error !== undefined) throw apiErrorOf(answer.error, `stream ${stream}`);
      const { consumers, total = 0 } = answer;
      found.push(...(consumers ?? []));
      if (found.length >= total || (consumers ?? []).length === 0) return found;
    }
  }
}

interface ListedConsumer {
  readonly name: string;
  readonly config: { readonly filter_subject?: string };
}

interface ConsumerPage {
  readonly consumers: readonly ListedConsumer[] | null;
  readonly total: number;
}
