import type { MillraceError } from '@millrace/core';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Unsubscribe } from './connection-gate.js';

/**
 * A connection and whether it may be used now. All subtasks of one operator share the connection;
 * each has a link of its own.
 *
 * While the gate is shut nothing may be published: the client would drop it without a word. It
 * shuts when the connection breaks and opens when a round trip has succeeded on the new one.
 */
export interface NatsLink {
  readonly connection: NatsConnection;
  /** Whether the gate is open. */
  isOpen(): boolean;
  /**
   * Resolves when the gate is open; rejects with {@link NatsLink.failed}, and as ERR_CANCELLED when
   * nobody is to wait any more, or the link is closed.
   */
  whenOpen(): Promise<void>;
  /** From now on nobody waits for a gate that is shut; one that is open may still be used. */
  stopWaiting(): void;
  /** What ended the connection for good: a permission, authentication, or its end. */
  readonly failed: MillraceError | undefined;
  /** Called once, at once if the link has failed already. */
  onFailure(listener: (error: MillraceError) => void): Unsubscribe;
  /** Called at each disconnect: whatever was in flight may or may not have arrived. */
  onGap(listener: () => void): Unsubscribe;
  /** The last link to close drains the connection, for a bounded time. */
  close(): Promise<void>;
}
