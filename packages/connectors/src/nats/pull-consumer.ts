import type { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { Cancellable, Env } from '@millrace/core/spi';
import { createInbox, type Msg, type Subscription } from '@nats-io/nats-core';
import { connectorLimits } from '../limits.js';
import { type Delivery, deliveryOf } from './delivery.js';
import type { NatsLink } from './nats-link.js';
import type { Pull } from './pull-plan.js';

export interface PullConsumerParts {
  readonly link: NatsLink;
  readonly env: Env;
  readonly inboxPrefix: string | undefined;
  readonly stream: string;
  /** Of the consumer, which exists. */
  readonly name: string;
  readonly onMessage: (message: Msg, delivery: Delivery) => void;
  /** No question is open any more. `isTooSmall`: none of its messages was small enough. */
  readonly onPullEnd: (isTooSmall: boolean) => void;
  /** The server has nothing for this consumer now. */
  readonly onIdle: () => void;
  readonly onFailure: (error: MillraceError) => void;
  /** Called once, as the last: something was lost, or the consumer is. */
  readonly onLost: (reason: string) => void;
}

/** A pull that was not answered to its end. */
interface OpenPull {
  readonly number: number;
  readonly asked: number;
  left: number;
}

/**
 * One consumer on the server as its reader sees it: asks it for messages, one question at a time,
 * and checks that none is missing. What is lost on the way shows in the numbers of the deliveries,
 * of the heartbeats and of the end of a pull; that the consumer is gone, in its silence. Then it is
 * given up, and its reader makes another.
 */
export class PullConsumer {
  readonly name: string;
  private readonly parts: PullConsumerParts;
  private readonly inbox: string;
  private readonly subscription: Subscription;
  /** Number of the last delivery. */
  private delivered = 0;
  private pulls = 0;
  private open: OpenPull | undefined;
  private silentTicks = 0;
  private watch: Cancellable | undefined;
  private isOver = false;

  constructor(parts: PullConsumerParts) {
    this.parts = parts;
    this.name = parts.name;
    this.inbox = createInbox(parts.inboxPrefix);
    this.subscription = parts.link.connection.subscribe(`${this.inbox}.*`, {
      // An error is a refused subject, which fails the link.
      callback: (error, message) => {
        if (error === null && !this.isOver) this.guarded(message);
      },
    });
  }

  get isPulling(): boolean {
    return this.open !== undefined;
  }

  /** Whether what the server last said still holds: it is asked, and says something each time. */
  get isHeard(): boolean {
    return this.isPulling && this.silentTicks <= 1;
  }

  /** Asks for messages; no other question may be open. The gate must be open. */
  pull({ messages, bytes }: Pull): void {
    this.pulls += 1;
    this.open = { number: this.pulls, asked: messages, left: messages };
    const body = {
      batch: messages,
      ...(bytes === undefined ? {} : { max_bytes: bytes }),
      expires: nanoseconds(connectorLimits.natsPullExpiresMs),
      idle_heartbeat: nanoseconds(connectorLimits.natsHeartbeatMs),
    };
    const { link, stream } = this.parts;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.name}`;
    const reply = `${this.inbox}.${this.pulls}`;
    link.connection.publish(subject, JSON.stringify(body), { reply });
    this.silentTicks = 0;
    this.watch ??= this.nextTick();
  }

  /** Gives it up; `onLost` is called. */
  lose(reason: string): void {
    if (this.isOver) return;
    this.stop();
    this.parts.onLost(reason);
  }

  /** Hears nothing any more. */
  stop(): void {
    this.isOver = true;
    this.open = undefined;
    this.watch?.cancel();
    if (!this.parts.link.connection.isClosed()) this.subscription.unsubscribe();
  }

  /** The client would take what is thrown for a fault of the connection. */
  private guarded(message: Msg): void {
    try {
      this.receive(message);
    } catch (error) {
      this.parts.onFailure(toMillraceError(error, 'ERR_INVARIANT'));
    }
  }

  private receive(message: Msg): void {
    this.silentTicks = 0;
    const { reply } = message;
    if (reply === undefined || reply === '') {
      this.onStatus(message);
      return;
    }
    const delivery = deliveryOf(reply);
    const { consumerSequence } = delivery;
    if (consumerSequence !== this.delivered + 1) {
      this.lose(`delivery ${consumerSequence} came after ${this.delivered}`);
      return;
    }
    this.delivered = consumerSequence;
    if (this.open !== undefined) this.open.left -= 1;
    this.parts.onMessage(message, delivery);
    if (this.open?.left === 0) this.end(false);
  }

  /** Statuses come to the inbox of a pull, have no reply subject and, mostly, a code. */
  private onStatus({ subject, headers }: Msg): void {
    const { code = 0, description = '' } = headers ?? {};
    if (code === 100) {
      this.onHeartbeat(Number(headers!.get('Nats-Last-Consumer')));
      return;
    }
    const isPullEnd =
      code === 408 || (code === 409 && /maxbytes|batch completed/i.test(description));
    if (!isPullEnd) this.lose(`${code} ${description}`.trim());
    // One that has ended by its last message may be told once more.
    else if (subject === `${this.inbox}.${this.open?.number}`) {
      this.onPullEnd(Number(headers!.get('Nats-Pending-Messages')), code === 409);
    }
  }

  private onHeartbeat(delivered: number): void {
    if (delivered === this.delivered) this.parts.onIdle();
    else this.lose(`delivery ${this.delivered + 1} to ${delivered} did not arrive`);
  }

  private onPullEnd(left: number, hasMore: boolean): void {
    const { asked, left: missing } = this.open!;
    if (left === missing) this.end(hasMore && left === asked);
    else this.lose(`${missing - left} messages of a pull did not arrive`);
  }

  private end(isTooSmall: boolean): void {
    this.open = undefined;
    this.parts.onPullEnd(isTooSmall);
  }

  /** Counts by ticks, not by time: a process that was stopped must hear what has come meanwhile. */
  private nextTick(): Cancellable {
    return this.parts.env.scheduler.after(connectorLimits.natsHeartbeatMs, () => {
      this.watch = undefined;
      if (this.isOver || this.open === undefined) return;
      this.silentTicks += 1;
      if (this.silentTicks > connectorLimits.natsSilentHeartbeatsMax) this.lose('it is silent');
      else this.watch = this.nextTick();
    });
  }
}

export const nanoseconds = (ms: number): number => ms * 1_000_000;
