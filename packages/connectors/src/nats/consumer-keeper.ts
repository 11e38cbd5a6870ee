import { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { Counter, SourceContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { apiErrorCodes, apiErrorOf, askJetStream } from './jetstream-api.js';
import type { NatsLink } from './nats-link.js';
import { PullConsumer, type PullConsumerParts } from './pull-consumer.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { readStream, type StreamFacts } from './stream-facts.js';

export interface ConsumerKeeperParts
  extends Pick<PullConsumerParts, 'onMessage' | 'onPullEnd' | 'onIdle'> {
  readonly link: NatsLink;
  readonly context: SourceContext;
  readonly inboxPrefix: string | undefined;
  readonly stream: string;
  /** Names the split in logs. */
  readonly split: string;
  /** How the next consumer is to be called, and its configuration. */
  readonly nextConsumer: () => Promise<ConsumerConfig>;
  readonly onCreated: (name: string) => Promise<void>;
  /** `stay`: consumers are not removed when they are given up. */
  readonly consumers: 'stay' | 'leave';
  /** Looks at the stream when a consumer is there; false: it is not to be used. */
  readonly judge: (stream: StreamFacts | undefined) => boolean;
  /** There is a consumer that can be asked. */
  readonly onOpen: () => void;
  /** There was one, and another is to be made: for a time nobody knows what the server has. */
  readonly onDropped: () => void;
  readonly onFailure: (error: MillraceError) => void;
}

/** As the server wants it. */
export type ConsumerConfig = Readonly<Record<string, unknown>> & { readonly name: string };

/**
 * Keeps a consumer on the server: when one is lost, with its server, its connection or a message,
 * another one is made at once, and then with growing pauses until one works.
 */
export class ConsumerKeeper {
  consumer: PullConsumer | undefined;
  private readonly parts: ConsumerKeeperParts;
  private readonly recreations: Counter;
  /** Attempts to open one; an attempt that is not the last has nothing to say any more. */
  private attempt = 0;
  /** When consumers began to be lost; undefined while one works. */
  private troubleSinceMs: number | undefined;
  private isClosed = false;

  constructor(parts: ConsumerKeeperParts) {
    this.parts = parts;
    this.recreations = parts.context.metrics.counter('natsConsumerRecreations');
    parts.link.onFailure((error) => parts.onFailure(error));
    parts.link.onGap(() => this.reopen('the connection broke'));
  }

  /** Makes a consumer, however long it takes. */
  async open(): Promise<void> {
    const { link, onFailure } = this.parts;
    this.attempt += 1;
    const { attempt } = this;
    try {
      for (let isOpen = false; !isOpen && attempt === this.attempt; ) {
        await this.backOff();
        await link.whenOpen();
        if (attempt === this.attempt) isOpen = await this.tryOpen(attempt);
      }
    } catch (error) {
      if (attempt === this.attempt) onFailure(toMillraceError(error, 'ERR_SOURCE_FAILED'));
    }
  }

  /** Gives up the consumer and makes another one. */
  reopen(reason: string): void {
    if (this.isClosed) return;
    const { context, split } = this.parts;
    const { log, operatorId } = context;
    log.log('info', `NATS consumer is made anew: ${reason}`, { operator: operatorId, split });
    this.drop();
    this.parts.onDropped();
    this.recreations.inc();
    void this.open();
  }

  /** The consumer has said something. */
  works(): void {
    this.troubleSinceMs = undefined;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.attempt += 1;
    this.drop();
  }

  /**
   * For an answer, ms: short at first, as one that was asked of a server that has died never comes,
   * and longer later, as in a large stream it may take its time.
   */
  private get patienceMs(): number {
    const { natsApiTimeoutMs, natsConsumerTimeoutMs } = connectorLimits;
    const lastingMs = this.parts.context.env.clock.monotonicMs() - (this.troubleSinceMs ?? 0);
    return Math.min(natsApiTimeoutMs, Math.max(natsConsumerTimeoutMs, lastingMs / 4));
  }

  private drop(): void {
    const { consumer } = this;
    if (consumer === undefined) return;
    this.consumer = undefined;
    consumer.stop();
    this.remove(consumer.name);
  }

  /** Nobody waits for it: a consumer that is not used ends by itself. */
  private remove(name: string): void {
    const { link, stream, consumers } = this.parts;
    if (consumers === 'stay' || !link.isOpen()) return;
    askJetStream(link, `CONSUMER.DELETE.${stream}.${name}`).catch(() => undefined);
  }

  private backOff(): Promise<void> {
    const { env } = this.parts.context;
    const nowMs = env.clock.monotonicMs();
    const { troubleSinceMs } = this;
    this.troubleSinceMs ??= nowMs;
    if (troubleSinceMs === undefined) return Promise.resolve();
    const delayMs = reconnectDelayMs(nowMs - troubleSinceMs, env.random.next());
    return new Promise((resolve) => env.scheduler.after(delayMs, resolve));
  }

  /** False: there was no answer, and it is to be tried again. */
  private async tryOpen(attempt: number): Promise<boolean> {
    const { context, link, split, judge } = this.parts;
    try {
      const name = await this.create();
      // Asked afterwards: what the stream still has now, it had when the consumer was made.
      const facts = await readStream(link, this.parts.stream, this.patienceMs);
      const isLast = attempt === this.attempt;
      const isOver = isLast && !judge(facts);
      if (name === undefined) return isOver;
      if (isLast && !isOver) this.use(name);
      else this.remove(name);
      return isLast;
    } catch (error) {
      if (link.failed !== undefined) throw link.failed;
      if (!(error instanceof MillraceError) || error.code !== 'ERR_NATS_NO_JETSTREAM') throw error;
      const { log, operatorId } = context;
      log.log('warn', error.message, { operator: operatorId, split });
      return false;
    }
  }

  /** Undefined: there is no such stream. */
  private async create(): Promise<string | undefined> {
    const { link, stream, nextConsumer, onCreated } = this.parts;
    const config = await nextConsumer();
    const { name } = config;
    const body = { stream_name: stream, config };
    const subject = `CONSUMER.CREATE.${stream}.${name}`;
    const { error } = await askJetStream(link, subject, body, this.patienceMs);
    if (error === undefined) {
      await onCreated(name);
      return name;
    }
    if (error.err_code === apiErrorCodes.streamNotFound) return undefined;
    throw apiErrorOf(error, `a consumer of stream ${stream}`);
  }

  private use(name: string): void {
    const { link, context, inboxPrefix, stream, onOpen } = this.parts;
    const { onMessage, onPullEnd, onIdle, onFailure } = this.parts;
    this.consumer = new PullConsumer({
      ...{ link, inboxPrefix, stream, name, onMessage, onPullEnd, onIdle, onFailure },
      env: context.env,
      onLost: (reason) => this.reopen(reason),
    });
    onOpen();
  }
}
