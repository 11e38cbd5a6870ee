import type { StagedBlob } from '@millrace/core/spi';
import type { MessageCheck } from './message-check.js';
import type { PreparedEntry, PreparedMessages } from './prepared-messages.js';

/** Where staged messages go once they are committed. */
export interface MessageDestination {
  readonly check: MessageCheck;
  /** Publishes what the checkpoint had prepared that the job was restored from. */
  restore(prepared: readonly PreparedMessages[]): Promise<void>;
  /** Publishes what a committed checkpoint prepared. */
  publish(entry: PreparedEntry, blob: StagedBlob | undefined): Promise<void>;
  /** What a checkpoint has to know of it. */
  facts(): Pick<PreparedMessages, 'stream' | 'fence'>;
  close(): Promise<void>;
}
