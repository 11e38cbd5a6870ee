import { setTimeout as wait } from 'node:timers/promises';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { type Payment, paymentOf, paymentsPerSecond } from './payments.js';
import { names } from './spend-job.js';

/** Payments published and waited for together: these may be stored out of order after a retry. */
const groupMax = 100;
const pauseMs = 20;
const answerMsMax = 2_000;

/**
 * Publishes payments at a fixed rate, and again until they are stored: the server knows each by an
 * id. What an outage holds up is published after it.
 */
export class Feeder {
  private readonly connection: NatsConnection;
  private readonly fed: Promise<number>;
  private isStopping = false;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    this.fed = this.feed();
    this.fed.catch(() => undefined);
  }

  static async start(servers: readonly string[]): Promise<Feeder> {
    const connection = await connect({
      servers: [...servers],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      pingInterval: 2_000,
    });
    return new Feeder(connection);
  }

  /** Publishes the last payment and says how many there were without it. */
  async stop(): Promise<number> {
    this.isStopping = true;
    const count = await this.fed;
    await this.store([{ ...paymentOf(count), last: true }]);
    await this.connection.close();
    return count;
  }

  /** Ends it wherever it is. */
  async abandon(): Promise<void> {
    this.isStopping = true;
    await this.connection.close();
    await this.fed.catch(() => undefined);
  }

  private async feed(): Promise<number> {
    const begunMs = performance.now();
    for (let next = 0; ; ) {
      const due = ((performance.now() - begunMs) * paymentsPerSecond) / 1_000;
      const count = Math.min(groupMax, Math.floor(due) - next);
      if (count > 0) {
        await this.store(Array.from({ length: count }, (_, index) => paymentOf(next + index)));
        next += count;
      }
      if (this.isStopping) return next;
      if (count < groupMax) await wait(pauseMs);
    }
  }

  private async store(payments: readonly Payment[]): Promise<void> {
    for (;;) {
      const stored = await Promise.all(payments.map((payment) => this.isStored(payment)));
      if (!stored.includes(false)) return;
      if (this.connection.isClosed()) throw new Error('the feeder was abandoned');
      await wait(pauseMs);
    }
  }

  private async isStored(payment: Payment): Promise<boolean> {
    const ids = headers();
    ids.set('Nats-Msg-Id', String(payment.n));
    try {
      const text = JSON.stringify(payment);
      const options = { headers: ids, timeout: answerMsMax };
      const answer = await this.connection.request(names.inputSubject, text, options);
      return answer.json<{ readonly seq?: number }>().seq !== undefined;
    } catch {
      return false;
    }
  }
}
