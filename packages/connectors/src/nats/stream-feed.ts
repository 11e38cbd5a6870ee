import { MillraceError } from '@millrace/core';
import { withContext } from '@millrace/core/internal';
import type { Counter, SourceContext } from '@millrace/core/spi';
import type { Msg } from '@nats-io/nats-core';
import { connectorLimits } from '../limits.js';
import { RingBuffer } from '../reading/ring-buffer.js';
import { ConsumerKeeper } from './consumer-keeper.js';
import type { Consumption, ReceivedUpTo } from './consumption.js';
import type { Delivery } from './delivery.js';
import type { NatsLink } from './nats-link.js';
import type { PullConsumer } from './pull-consumer.js';
import { nextPull } from './pull-plan.js';
import { bytesOf, ReceivedMessage } from './received-message.js';
import { readStream, type StreamFacts } from './stream-facts.js';
import {
  judgeMessage,
  judgeStream,
  type StreamPosition,
  type StreamVerdict,
} from './stream-position.js';
import { TruncationWatch } from './truncation-watch.js';

/**
 * Where a bounded split ends: with the message that was the last one at the start, or, where newer
 * messages take the place of older ones, as soon as that is passed and nothing is behind.
 */
type SplitEnd = 'atLast' | 'caughtUp';

/** What becomes of a stream from which messages were removed before they were read. */
type TruncationPolicy = 'refuse' | 'continue' | 'expected';

export interface StreamFeedParts {
  readonly link: NatsLink;
  readonly context: SourceContext;
  readonly inboxPrefix: string | undefined;
  /** Names the split in errors and logs. */
  readonly split: string;
  readonly start: StreamPosition;
  readonly consumption: Consumption;
  /** The stream has messages that are not of the split. */
  readonly isFiltered: boolean;
  readonly onTruncated: TruncationPolicy;
  readonly splitEnd: SplitEnd;
  /** Whatever the stream has first is where reading begins. */
  readonly fromFirst: boolean;
  readonly bytesMax: number;
  /** Messages have come, the end, or a failure. */
  readonly wake: () => void;
}

/**
 * Receives the messages of a split in the order of the stream, without gaps and without doubles,
 * whatever happens to connections, consumers and servers, and holds a bounded number of them until
 * the job takes them.
 */
export class StreamFeed {
  private readonly parts: StreamFeedParts;
  private readonly messages = new RingBuffer<ReceivedMessage>(connectorLimits.natsSplitMessagesMax);
  private readonly truncated: Counter;
  private readonly keeper: ConsumerKeeper;
  private readonly watch: TruncationWatch;
  /** Of the last message that was received. */
  private sequence: number;
  private timeNs: string | undefined;
  private seen: number;
  private bytes = 0;
  /** Messages behind the last one that was received, as the server told with it. */
  private behind = 0;
  private failure: MillraceError | undefined;
  private hasEnded = false;
  private isPaused = false;
  private isTooSmall = false;
  /** Heartbeats since the last message. */
  private idleTimes = 0;
  /** The consumer of which the server has said that it has nothing more; it may be given up. */
  private drained: PullConsumer | undefined;

  constructor(parts: StreamFeedParts) {
    const { context, start, link, inboxPrefix, split, consumption } = parts;
    this.parts = parts;
    this.sequence = start.sequence;
    this.timeNs = start.timeNs;
    this.seen = start.seen ?? 0;
    this.truncated = context.metrics.counter('natsMessagesTruncated');
    this.watch = new TruncationWatch(context.env, (from) => void this.look(from));
    this.keeper = new ConsumerKeeper({
      ...{ link, context, inboxPrefix, split, stream: start.stream },
      nextConsumer: () => consumption.nextConsumer(this.received),
      onCreated: async (name) => consumption.created?.(name),
      consumers: consumption.isQueue ? 'stay' : 'leave',
      judge: (facts) => this.judge(facts),
      onOpen: () => this.onPullEnd(false),
      onMessage: (message, delivery) => this.onMessage(message, delivery),
      onPullEnd: (isTooSmall) => this.onPullEnd(isTooSmall),
      onIdle: () => this.onIdle(),
      onFailure: (error) => this.fail(error),
      onDropped: () => this.parts.wake(),
    });
    if (this.hadAll) this.end();
    else void this.keeper.open();
  }

  /** Whether there is something to take, or to throw, or the end. */
  get isReady(): boolean {
    return this.messages.size > 0 || this.hasEnded || this.failure !== undefined;
  }

  /** All has been taken, and no more will come. */
  get isOver(): boolean {
    return this.hasEnded && this.messages.size === 0;
  }

  /** Whether the server still says that it has nothing more, and all has been taken. */
  get isEmpty(): boolean {
    const { consumer } = this.keeper;
    if (consumer === undefined || consumer !== this.drained) return false;
    return this.messages.size === 0 && consumer.isHeard;
  }

  /** Messages of the split that the job has not taken. */
  get pending(): number {
    return this.messages.size + this.behind;
  }

  /** Up to here the stream has nothing that is not received; undefined while some is not taken. */
  get seenUpTo(): number | undefined {
    return this.messages.size === 0 && this.seen > this.sequence ? this.seen : undefined;
  }

  /** @throws what reading failed with for good */
  take(max: number): ReceivedMessage[] {
    if (this.failure !== undefined) throw this.failure;
    const taken = this.messages.take(max);
    for (const { bytes } of taken) this.bytes -= bytes;
    this.pull();
    return taken;
  }

  /** Asks for no more; what was asked for before may still come. */
  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    // Not asked meanwhile, it could not say that there is more.
    this.drained = undefined;
    this.pull();
  }

  /** A checkpoint has what was taken up to a sequence. */
  snapshot(checkpoint: number, sequence: number): void {
    this.parts.consumption.snapshot?.(checkpoint, sequence);
  }

  commit(checkpoint: number): void {
    this.parts.consumption.commit?.(checkpoint);
  }

  close(): void {
    this.watch.stop();
    this.keeper.close();
  }

  /** Nothing is left to read at the start. */
  private get hadAll(): boolean {
    const { start, splitEnd } = this.parts;
    if (start.end === undefined || start.sequence < start.end) return false;
    return splitEnd === 'atLast' || start.timeNs === undefined;
  }

  private get received(): ReceivedUpTo {
    return { sequence: this.sequence, timeNs: this.timeNs };
  }

  private pull(): void {
    const { messages, bytes, isTooSmall } = this;
    const { link, bytesMax } = this.parts;
    const { consumer } = this.keeper;
    if (consumer === undefined || consumer.isPulling || this.isPaused || !link.isOpen()) return;
    const messagesMax = connectorLimits.natsSplitMessagesMax;
    const held = { messages: messages.size, bytes, messagesMax, bytesMax, isTooSmall };
    const pull = nextPull(held);
    if (pull !== undefined) consumer.pull(pull);
  }

  private onPullEnd(isTooSmall: boolean): void {
    this.isTooSmall = isTooSmall;
    this.pull();
  }

  private onMessage(message: Msg, delivery: Delivery): void {
    this.keeper.works();
    this.idleTimes = 0;
    this.drained = undefined;
    const { sequence } = delivery;
    const { start, splitEnd, consumption } = this.parts;
    const arrived = new ReceivedMessage(message, delivery, bytesOf(message));
    if (sequence <= this.sequence) {
      if (this.obey(judgeMessage(this.received, delivery))) consumption.again?.(arrived);
    } else if (splitEnd === 'atLast' && sequence > (start.end ?? Infinity)) this.end();
    else if (consumption.mustReopen?.(sequence) === true) {
      this.keeper.reopen('all that was there at first is read');
    } else this.receive(arrived);
  }

  private receive(message: ReceivedMessage): void {
    const { sequence, timeNs, pending } = message.delivery;
    const { consumption, wake } = this.parts;
    if (sequence > this.sequence + 1) this.onJump();
    this.sequence = sequence;
    this.timeNs = timeNs;
    this.behind = pending;
    this.bytes += message.bytes;
    this.messages.push(message);
    consumption.took?.(message);
    if (this.isLast(message.delivery)) this.end();
    else if (this.messages.size === 1) wake();
  }

  private isLast({ sequence, pending }: Delivery): boolean {
    const { start, splitEnd } = this.parts;
    if (start.end === undefined) return false;
    if (splitEnd === 'atLast') return sequence === start.end;
    return sequence >= start.end && pending === 0;
  }

  private onJump(): void {
    const { fromFirst, consumption, onTruncated } = this.parts;
    if (this.timeNs === undefined && fromFirst) return;
    if (onTruncated === 'expected' || consumption.isQueue) return;
    this.watch.jumped(this.sequence);
  }

  /** The server has no more for now. */
  private onIdle(): void {
    this.keeper.works();
    const { start, isFiltered, onTruncated, consumption } = this.parts;
    if (consumption.isHeldBack === true) return;
    this.behind = 0;
    this.idleTimes += 1;
    // Once could be a server that has not caught up with the others.
    if (this.idleTimes > 1) this.drained = this.keeper.consumer;
    if (start.end !== undefined && this.idleTimes > 1) this.end();
    else if (isFiltered && onTruncated !== 'expected' && !consumption.isQueue) this.watch.idle();
  }

  /** Asks where the stream begins now. */
  private async look(jumpedFrom: number | undefined): Promise<void> {
    const { link, start } = this.parts;
    const { sequence, timeNs } = this;
    try {
      const facts = await readStream(link, start.stream);
      const from = jumpedFrom ?? sequence;
      const isIdle = this.idleTimes > 0 && this.sequence === sequence;
      // What was removed since the last look would have been delivered if it were of this split.
      if (isIdle && jumpedFrom === undefined && facts !== undefined && sequence <= facts.last) {
        this.seen = Math.max(this.seen, facts.first - 1);
      }
      if (!this.obey(judgeStream({ ...start, sequence: from, timeNs, seen: this.seen }, facts))) {
        return;
      }
      if (isIdle && facts !== undefined) this.seen = Math.max(this.seen, facts.last);
    } catch (error) {
      // What keeps the stream from answering is told by the consumer; the jump stays.
      if (jumpedFrom !== undefined) this.watch.jumped(jumpedFrom);
      if (!(error instanceof MillraceError)) throw error;
    }
  }

  /** Looks at the stream when a consumer was made. */
  private judge(facts: StreamFacts | undefined): boolean {
    const { sequence, timeNs, seen } = this;
    const { start, fromFirst } = this.parts;
    const verdict = judgeStream({ ...start, sequence, timeNs, seen }, facts);
    if (verdict.kind === 'truncated' && timeNs === undefined && fromFirst) return true;
    return this.obey(verdict);
  }

  /** Whether reading goes on. */
  private obey(verdict: StreamVerdict): boolean {
    if (verdict.kind === 'same' || this.hasEnded) return true;
    const { start, onTruncated, context, split, isFiltered } = this.parts;
    if (verdict.kind === 'changed') {
      const detail = `stream ${start.stream} ${verdict.what}; reading was to go on behind ${this.sequence}`;
      this.fail(new MillraceError('ERR_SOURCE_CHANGED', detail));
      return false;
    }
    if (onTruncated === 'expected') return true;
    const { from, to } = verdict;
    const detail = truncation(start.stream, from, to, isFiltered);
    if (onTruncated === 'refuse') {
      const advice = `restore them, or say onTruncated: 'continue' to go on without them`;
      this.fail(new MillraceError('ERR_SOURCE_CHANGED', `${detail}; ${advice}`));
      return false;
    }
    this.truncated.inc(to - from + 1);
    this.seen = Math.max(this.seen, to);
    context.log.log('warn', `NATS: ${detail}`, { operator: context.operatorId, split });
    return true;
  }

  private end(): void {
    this.hasEnded = true;
    this.behind = 0;
    this.close();
    this.parts.wake();
  }

  private fail(error: MillraceError): void {
    if (this.hasEnded || this.failure !== undefined) return;
    this.failure = withContext(error, { position: this.parts.split });
    this.close();
    this.parts.wake();
  }
}

function truncation(stream: string, from: number, to: number, isFiltered: boolean): string {
  const gone = to - from + 1;
  const sequences = from === to ? `sequence ${from}` : `sequences ${from} to ${to}`;
  const whose = isFiltered ? ', of which some may have been of this split,' : '';
  const what = gone === 1 ? 'message' : 'messages';
  return `stream ${stream} has lost ${gone} ${what} (${sequences})${whose} before they were read`;
}
