import type { SourceContext } from '@millrace/core/spi';
import { nuid } from '@nats-io/nats-core';
import { connectorLimits } from '../limits.js';
import { refuseOption } from '../option-checks.js';
import type { ConsumerConfig } from './consumer-keeper.js';
import { nanoseconds } from './pull-consumer.js';
import type { ReceivedMessage } from './received-message.js';

/** Up to where a split was received. */
export interface ReceivedUpTo {
  readonly sequence: number;
  /** When the message at `sequence` was stored; undefined: none was received yet. */
  readonly timeNs: string | undefined;
}

/** What consumers a feed makes, and what it does besides with what they deliver. */
export interface Consumption {
  nextConsumer(received: ReceivedUpTo): Promise<ConsumerConfig>;
  /** The stream removes what is acknowledged. Its consumers stay, as they hold what is not. */
  readonly isQueue: boolean;
  /** The server has more and waits for acknowledgements. */
  readonly isHeldBack?: boolean;
  /** A consumer was made. */
  created?(name: string): Promise<void>;
  /** A message was taken. */
  took?(message: ReceivedMessage): void;
  /** A message that was received before was delivered again. */
  again?(message: ReceivedMessage): void;
  /** The next message is to be read from another consumer. */
  mustReopen?(sequence: number): boolean;
  /** A checkpoint has what the job has taken up to a sequence, and is committed later. */
  snapshot?(checkpoint: number, sequence: number): void;
  commit?(checkpoint: number): void;
}

/** Reads a stream without a trace in it. */
export function plainConsumption(context: SourceContext, filters: readonly string[]): Consumption {
  return {
    isQueue: false,
    nextConsumer: async (received) => ({
      ...ephemeralConsumer(context, filters),
      deliver_policy: 'by_start_sequence',
      opt_start_seq: Math.max(1, startSequence(received)),
    }),
  };
}

/** The last message that was received comes once more: whether it still is the same one tells
 * whether the stream still is. */
export const startSequence = ({ sequence, timeNs }: ReceivedUpTo): number =>
  timeNs === undefined ? sequence + 1 : sequence;

/** A consumer in memory that ends with its reader; only its start is missing. */
export function ephemeralConsumer(
  context: SourceContext,
  filters: readonly string[],
): ConsumerConfig {
  return {
    name: consumerName(`millrace-${context.operatorId}`),
    ...filterConfig(filters),
    ack_policy: 'none',
    inactive_threshold: nanoseconds(connectorLimits.natsConsumerInactiveMs),
    mem_storage: true,
    num_replicas: 1,
  };
}

export function filterConfig(filters: readonly string[]): Readonly<Record<string, unknown>> {
  if (filters.length === 0) return {};
  return filters.length === 1 ? { filter_subject: filters[0] } : { filter_subjects: filters };
}

/**
 * Unlike any other, as making a consumer that exists gives that one, with what it has delivered. By
 * the client's own names, which are unlike others also where chance is seeded. It has no dots.
 */
export const consumerName = (prefix: string): string =>
  `${prefix.replaceAll(/[^a-zA-Z0-9_-]/g, '_')}-${nuid.next()}`;

/** @throws ERR_INVALID_OPTION for a begin of names that {@link consumerName} would change */
export function assertConsumerPrefix(option: string, prefix: string): void {
  if (typeof prefix === 'string' && /^[a-zA-Z0-9_-]+$/.test(prefix)) return;
  refuseOption(option, `"${prefix}" has other characters than letters, digits, - and _`);
}

/** Whether {@link consumerName} made a name of this prefix, and not of one that begins like it. */
export const isConsumerNameOf = (prefix: string, name: string): boolean =>
  name.startsWith(`${prefix}-`) && /^[0-9A-Z]{22}$/.test(name.slice(prefix.length + 1));
