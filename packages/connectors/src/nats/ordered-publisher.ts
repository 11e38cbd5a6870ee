import { MillraceError } from '@millrace/core';
import type { SinkContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { Unsubscribe } from './connection-gate.js';
import type { NatsLink } from './nats-link.js';
import { type OutgoingMessage, sizeOf } from './outgoing-message.js';
import { Patience } from './patience.js';
import { mayPass, type PublishOutcome, refusalText } from './publish-outcome.js';

export interface OrderedPublisherParts {
  readonly link: NatsLink;
  readonly context: SinkContext;
  readonly send: (message: OutgoingMessage) => Promise<PublishOutcome>;
  /**
   * Called when all that is not known to be stored is about to be published again; what it throws
   * ends that instead.
   *
   * @param sentMs when the first of it was first sent, epoch ms; undefined: it was not
   */
  readonly beforeRepeat?: (sentMs: number | undefined) => void;
}

/**
 * Publishes many messages at a time, at least once each. When one of them is not stored, it and
 * all behind it are published again, so that the last message of a subject is the one that was
 * added last.
 */
export class OrderedPublisher {
  private readonly parts: OrderedPublisherParts;
  private readonly patience: Patience;
  private readonly leave: Unsubscribe;
  /** Added and not known to be stored, in order. */
  private waiting: InDoubt[] = [];
  private bytes = 0;
  /** How many of them are on their way. */
  private sent = 0;
  /** Answers to what was sent before the last time all began again say nothing. */
  private round = 0;
  private isPausing = false;
  private failure: { readonly cause: unknown } | undefined;
  private listeners: (() => void)[] = [];

  constructor(parts: OrderedPublisherParts) {
    this.parts = parts;
    this.patience = new Patience(parts.link, parts.context);
    this.leave = parts.link.onFailure((error) => this.fail(error));
  }

  add(message: OutgoingMessage): void {
    this.waiting.push({ message, bytes: sizeOf(message), isStored: false, sentMs: undefined });
    this.bytes += this.waiting.at(-1)!.bytes;
    this.pump();
  }

  /** Resolves when there is room for more; undefined: there is. */
  pressure(): Promise<void> | undefined {
    if (this.failure === undefined && !this.isFull()) return undefined;
    return this.until(() => !this.isFull());
  }

  /** Ends all tries; whoever waits is told ERR_CANCELLED. */
  close(): void {
    this.leave();
    this.fail(new MillraceError('ERR_CANCELLED', 'the sink is closed'));
  }

  /** Resolves when all is stored. */
  drained(): Promise<void> {
    return this.until(() => this.waiting.length === 0);
  }

  private isFull(): boolean {
    const { natsInFlightMessagesMax, natsInFlightBytesMax } = connectorLimits;
    return this.waiting.length > natsInFlightMessagesMax || this.bytes > natsInFlightBytesMax;
  }

  private async until(holds: () => boolean): Promise<void> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure.cause;
      if (holds()) return;
      await new Promise<void>((resolve) => this.listeners.push(resolve));
    }
  }

  private pump(): void {
    if (this.isPausing || this.failure !== undefined) return;
    if (!this.parts.link.isOpen()) {
      void this.startAgain('the connection was lost');
      return;
    }
    const { clock } = this.parts.context.env;
    while (this.sent < this.waiting.length) {
      const item = this.waiting[this.sent]!;
      item.sentMs ??= clock.nowMs();
      void this.send(item, this.round);
      this.sent += 1;
    }
  }

  private async send(item: InDoubt, round: number): Promise<void> {
    try {
      const outcome = await this.parts.send(item.message);
      if (round !== this.round || this.failure !== undefined) return;
      if (outcome.kind === 'stored') this.onStored(item);
      else if (outcome.kind === 'unanswered') await this.startAgain(outcome.why);
      else if (mayPass(outcome.error)) await this.startAgain(refusalText(outcome.error));
      else this.fail(this.refusalOf(item, refusalText(outcome.error)));
    } catch (error) {
      this.fail(error);
    }
  }

  private onStored(item: InDoubt): void {
    item.isStored = true;
    let stored = 0;
    while (this.waiting[stored]?.isStored === true) {
      this.bytes -= this.waiting[stored]!.bytes;
      stored += 1;
    }
    if (stored === 0) return;
    this.waiting.splice(0, stored);
    this.sent -= stored;
    this.patience.begin();
    this.tell();
  }

  private async startAgain(why: string): Promise<void> {
    if (this.isPausing) return;
    this.isPausing = true;
    this.round += 1;
    try {
      await this.patience.wait(why);
      this.parts.beforeRepeat?.(this.waiting[0]?.sentMs);
    } catch (error) {
      this.fail(error);
      return;
    }
    for (const item of this.waiting) item.isStored = false;
    this.sent = 0;
    this.isPausing = false;
    this.pump();
  }

  private refusalOf({ message }: InDoubt, why: string): MillraceError {
    const { operatorId: operator } = this.parts.context;
    const detail = `the message for "${message.subject}" was refused: ${why}`;
    return new MillraceError('ERR_SINK_FAILED', detail, { operator });
  }

  private fail(cause: unknown): void {
    this.failure ??= { cause };
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners.splice(0)) listener();
  }
}

interface InDoubt {
  readonly message: OutgoingMessage;
  readonly bytes: number;
  isStored: boolean;
  /** When it was sent for the first time, epoch ms. */
  sentMs: number | undefined;
}
