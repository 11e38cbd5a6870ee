import type { SourceContext } from '@millrace/core/spi';
import type { ConsumerConfig } from './consumer-keeper.js';
import {
  type Consumption,
  ephemeralConsumer,
  type ReceivedUpTo,
  startSequence,
} from './consumption.js';

/**
 * Reads the last message of each subject first, and then all that came after the first start. What
 * a subject got between the start and the making of a consumer is left out by the server, so the
 * second part is read from another consumer, which begins where the first part ended.
 */
export class LatestConsumption implements Consumption {
  readonly isQueue = false;
  private readonly context: SourceContext;
  private readonly filters: readonly string[];
  private readonly snapshotEnd: number;
  private isPastSnapshot = false;

  /** @param snapshotEnd last sequence of the stream when the job first started */
  constructor(context: SourceContext, filters: readonly string[], snapshotEnd: number) {
    this.context = context;
    this.filters = filters;
    this.snapshotEnd = snapshotEnd;
  }

  async nextConsumer(received: ReceivedUpTo): Promise<ConsumerConfig> {
    const config = ephemeralConsumer(this.context, this.filters);
    if (received.sequence > this.snapshotEnd) this.isPastSnapshot = true;
    if (!this.isPastSnapshot) return { ...config, deliver_policy: 'last_per_subject' };
    const sequence = Math.max(startSequence(received), this.snapshotEnd + 1);
    return { ...config, deliver_policy: 'by_start_sequence', opt_start_seq: sequence };
  }

  mustReopen(sequence: number): boolean {
    if (this.isPastSnapshot || sequence <= this.snapshotEnd) return false;
    this.isPastSnapshot = true;
    return true;
  }
}
