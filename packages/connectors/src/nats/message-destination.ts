import type { MessageCheck } from './message-check.js';
import type { PreparedMessages, PreparedOutput } from './prepared-messages.js';

/** Where staged messages go once they are committed. */
export interface MessageDestination {
  readonly check: MessageCheck;
  /** Publishes what the checkpoint had prepared that the job was restored from. */
  restore(prepared: readonly PreparedMessages[]): Promise<void>;
  /** Publishes what committed checkpoints prepared. */
  publish(prepared: PreparedOutput): Promise<void>;
  /** What a checkpoint has to know of it. */
  facts(): Pick<PreparedMessages, 'stream' | 'fence'>;
  /** Publishing that waits for the connection, now or later, rejects. */
  cancel(): void;
  close(): Promise<void>;
}
