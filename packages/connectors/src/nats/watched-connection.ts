import { MillraceError } from '@millrace/core';
import type { Counter, Env, SourceContext } from '@millrace/core/spi';
import type { NatsConnection, Status } from '@nats-io/nats-core';
import { connectorLimits } from '../limits.js';
import { isRefusal, permissionErrorOf } from './client-error.js';
import { ConnectionGate } from './connection-gate.js';

/**
 * A connection whose state is followed: the gate is shut while it is broken, and fails for good
 * when going on makes no sense.
 */
export class WatchedConnection {
  readonly connection: NatsConnection;
  readonly gate = new ConnectionGate();
  private readonly env: Env;
  private readonly operator: string;
  private readonly reconnects: Counter;
  private readonly outage: Outage;
  private isClosing = false;
  /** Since the server accepted the connection. */
  private refusals = 0;

  constructor(connection: NatsConnection, context: SourceContext, outage: Outage) {
    const { env, metrics, operatorId } = context;
    this.connection = connection;
    this.env = env;
    this.operator = operatorId;
    this.outage = outage;
    this.reconnects = metrics.counter('natsReconnects');
    metrics.gauge('natsDisconnectedMs', () => this.outage.totalMs());
    void this.follow();
  }

  /** Lets what is on its way arrive, for a bounded time, and closes. */
  async close(): Promise<void> {
    this.isClosing = true;
    if (this.gate.isOpen()) await this.drain();
    else await this.connection.close();
    // Whoever still waits for the gate.
    this.gate.fail(new MillraceError('ERR_CANCELLED', 'the connection is closed'));
  }

  private drain(): Promise<void> {
    return new Promise((resolve) => {
      const late = this.env.scheduler.after(connectorLimits.natsDrainMs, () => {
        void this.connection.close().then(resolve, () => resolve());
      });
      const done = (): void => {
        late.cancel();
        resolve();
      };
      this.connection.drain().then(done, done);
    });
  }

  private async follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      try {
        this.onStatus(status);
      } catch (error) {
        this.fail(new MillraceError('ERR_INVARIANT', 'a listener threw', { cause: error }));
      }
    }
    const reason = await this.connection.closed();
    if (this.isClosing) return;
    const detail = reason instanceof Error ? reason.message : 'the connection was closed';
    this.fail(new MillraceError('ERR_NATS_UNREACHABLE', detail, { operator: this.operator }));
  }

  private onStatus(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        this.onDisconnect();
        break;
      case 'reconnect':
        void this.onReconnect();
        break;
      case 'error':
        this.onError(status.error);
        break;
      default:
    }
  }

  /** The client says it again at each attempt that the server cuts, and then `reconnect` as often. */
  private onDisconnect(): void {
    if (!this.gate.isOpen()) return;
    this.outage.begin();
    this.env.log.log('warn', 'NATS connection lost', this.fields());
    this.gate.shut();
  }

  /** The gate opens after a round trip: the server has then taken the subscriptions again. */
  private async onReconnect(): Promise<void> {
    try {
      await this.connection.flush();
    } catch {
      // Broken again; the next reconnect comes here again.
      return;
    }
    if (this.gate.isOpen() || this.gate.failed !== undefined) return;
    this.reconnects.inc();
    this.refusals = 0;
    this.outage.end();
    this.env.log.log('info', 'NATS connection is back', this.fields());
    this.gate.open();
  }

  private onError(error: Error): void {
    const permission = permissionErrorOf(error, this.operator);
    if (permission !== undefined) {
      this.fail(permission);
      return;
    }
    this.env.log.log('warn', `NATS: ${error.message}`, this.fields());
    if (!isRefusal(error)) return;
    this.refusals += 1;
    if (this.refusals < connectorLimits.natsRefusalsMax) return;
    const options = { cause: error, operator: this.operator };
    this.fail(new MillraceError('ERR_NATS_AUTHENTICATION', error.message, options));
  }

  private fail(error: MillraceError): void {
    this.gate.fail(error);
    this.isClosing = true;
    void this.connection.close();
  }

  private fields(): Readonly<Record<string, unknown>> {
    return { operator: this.operator, server: this.connection.getServer() };
  }
}

/** Times without a connection. */
export class Outage {
  private readonly env: Env;
  private beganAt: number | undefined;
  private endedMs = 0;

  constructor(env: Env) {
    this.env = env;
  }

  begin(): void {
    this.beganAt ??= this.env.clock.monotonicMs();
  }

  end(): void {
    this.endedMs += this.lastingMs();
    this.beganAt = undefined;
  }

  /** Of the one that lasts now, ms; 0 while connected. */
  lastingMs(): number {
    return this.beganAt === undefined ? 0 : this.env.clock.monotonicMs() - this.beganAt;
  }

  totalMs(): number {
    return this.endedMs + this.lastingMs();
  }
}
