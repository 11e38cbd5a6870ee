import { MillraceError } from '@millrace/core';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ConnectionGate, Unsubscribe } from './connection-gate.js';
import type { NatsLink } from './nats-link.js';

/** One user's part in a connection: what ends with it does not end with the others'. */
export class SharedLink implements NatsLink {
  readonly connection: NatsConnection;
  private readonly gate: ConnectionGate;
  private readonly leave: () => Promise<void>;
  private readonly subscriptions = new Set<Unsubscribe>();
  /** Of those who wait for the gate. */
  private readonly rejections = new Set<(why: MillraceError) => void>();
  private life: 'waiting' | 'ending' | 'closed' = 'waiting';

  /** @param leave called once: this user is gone */
  constructor(connection: NatsConnection, gate: ConnectionGate, leave: () => Promise<void>) {
    this.connection = connection;
    this.gate = gate;
    this.leave = leave;
  }

  get failed(): MillraceError | undefined {
    return this.gate.failed;
  }

  isOpen(): boolean {
    return this.life !== 'closed' && this.gate.isOpen();
  }

  whenOpen(): Promise<void> {
    const { gate, rejections } = this;
    if (this.isOpen() || gate.failed !== undefined) return gate.whenOpen();
    if (this.life !== 'waiting') return Promise.reject(ended());
    return new Promise((resolve, reject) => {
      rejections.add(reject);
      const settle = (): unknown => rejections.delete(reject);
      gate.whenOpen().then(resolve, reject).finally(settle);
    });
  }

  stopWaiting(): void {
    if (this.life === 'waiting') this.life = 'ending';
    for (const reject of [...this.rejections]) reject(ended());
  }

  onFailure(listener: (error: MillraceError) => void): Unsubscribe {
    return this.keep(this.gate.onFailure(listener));
  }

  onGap(listener: () => void): Unsubscribe {
    return this.keep(this.gate.onGap(listener));
  }

  async close(): Promise<void> {
    if (this.life === 'closed') return;
    this.life = 'closed';
    this.stopWaiting();
    for (const unsubscribe of this.subscriptions) unsubscribe();
    await this.leave();
  }

  private keep(unsubscribe: Unsubscribe): Unsubscribe {
    this.subscriptions.add(unsubscribe);
    return () => {
      this.subscriptions.delete(unsubscribe);
      unsubscribe();
    };
  }
}

const ended = (): MillraceError =>
  new MillraceError('ERR_CANCELLED', 'nobody waits for the connection any more');
