import {
  type CheckpointBarrier,
  type ControlElement,
  idleElement,
  watermarkOf,
} from '@millrace/core/spi';
import type { ChannelState } from '../checkpoint/channel-state.js';
import { runtimeLimits } from '../limits.js';
import { channelName } from '../plan/channel-id.js';
import type { ChannelReceiver } from './channel.js';
import { type CaptureListener, ChannelCapture } from './channel-capture.js';
import { WatermarkCombiner } from './watermark-combiner.js';

/** What the gate makes of a control element: what is to be told the operator, if anything. */
export type GateEvent = ControlElement | undefined;

/** Of so many turns one is not given by event time: nobody waits for ever. */
const turnsByTime = 8;

/** The inputs of a stage: takes elements from its channels in turn and combines control. */
export class InputGate {
  /** A barrier has overtaken what waits: the stage answers it ahead of all else, by `capture`. */
  overtaking: CheckpointBarrier | undefined;
  private readonly channels: readonly ChannelReceiver[];
  private readonly listener: CaptureListener | undefined;
  private readonly combiner: WatermarkCombiner;
  private next = 0;
  private turns = 0;
  private readonly nowMs: (() => number) | undefined;
  /** When each channel gave something last, epoch ms; kept where that counts. */
  private readonly signMs: Float64Array;
  private heldUntilMs = Infinity;
  private readonly hasEnded: boolean[];
  private readonly hasClosed: boolean[];
  private closed = 0;
  /** Channels that are not read until the others have delivered a barrier, or they their own. */
  private readonly isBlocked: boolean[];
  private blocked = 0;
  /** Newest checkpoint of all barriers so far: those of older ones mean nothing any more. */
  private newest = -1;
  private abandoned = -1;
  /** Channels that have delivered the overtaking barrier of the newest checkpoint. */
  private readonly hasDelivered: boolean[];
  private capturing: ChannelCapture | undefined;

  /**
   * @param listener told what channels have for checkpoints; undefined: there are none
   * @param nowMs epoch ms; undefined: no channel waits for others
   */
  constructor(
    channels: readonly ChannelReceiver[],
    listener?: CaptureListener,
    nowMs?: (() => number) | undefined,
  ) {
    this.channels = channels;
    this.listener = listener;
    this.nowMs = channels.length > 1 ? nowMs : undefined;
    this.signMs = new Float64Array(channels.length).fill(-Infinity);
    const none = (): boolean[] => channels.map(() => false);
    this.isBlocked = none();
    this.hasEnded = none();
    this.hasClosed = none();
    this.hasDelivered = none();
    // A stage that reads a source directly has no channel, and still one watermark.
    this.combiner = new WatermarkCombiner(Math.max(1, channels.length));
    for (const [index, channel] of channels.entries()) {
      channel.onOvertaking((barrier) => this.overtake(index, barrier));
    }
  }

  get watermark(): number {
    return this.combiner.watermark;
  }

  /**
   * A channel with an element: mostly the one that is furthest behind in event time, since what runs
   * ahead of it only waits in state for the others; in turn among equals, and now and then in any
   * case. Undefined when all are empty.
   */
  nextChannel(): ChannelReceiver | undefined {
    const found = this.find();
    if (found < 0) return undefined;
    this.next = found;
    return this.channels[found];
  }

  /** Nothing is to be taken now. */
  get isEmpty(): boolean {
    return this.find() < 0;
  }

  /** When to look again although nothing has come, epoch ms. */
  get wakeAtMs(): number {
    return this.heldUntilMs;
  }

  /** The channel to take from; −1 for none. */
  private find(): number {
    const { channels, combiner } = this;
    this.heldUntilMs = Infinity;
    let found = -1;
    for (let i = 0; i < channels.length; i += 1) {
      const at = (this.next + i) % channels.length;
      if (channels[at]!.isEmpty || this.isBlocked[at]) continue;
      if (found < 0 || combiner.markOf(at) < combiner.markOf(found)) found = at;
      if (this.turns % turnsByTime === 0) break;
    }
    return found >= 0 && this.isHeld(found) ? -1 : found;
  }

  /**
   * What is ahead of a channel that has just given something waits a little for more of that: else
   * a subtask that falls behind would be fed with what runs ahead of it, and fall further behind.
   */
  private isHeld(found: number): boolean {
    const { combiner, nowMs } = this;
    if (nowMs === undefined) return false;
    const mark = combiner.markOf(found);
    for (let at = 0; at < this.channels.length; at += 1) {
      if (combiner.markOf(at) >= mark || this.isBlocked[at] || this.hasClosed[at]) continue;
      if (!this.channels[at]!.isEmpty || combiner.input(at).isIdle) continue;
      const untilMs = this.signMs[at]! + runtimeLimits.gateHoldMs;
      if (untilMs <= nowMs()) continue;
      this.heldUntilMs = untilMs;
      return true;
    }
    return false;
  }

  /** Lets the other channels have their turn. */
  turn(): void {
    this.next = (this.next + 1) % this.channels.length;
    this.turns += 1;
  }

  /** A batch arrived: its channel is active again. */
  onBatch(channel: ChannelReceiver): void {
    const index = this.channels.indexOf(channel);
    this.combiner.activate(index);
    if (this.channels.length > 1) this.noteSign(index);
  }

  private noteSign(index: number): void {
    if (this.nowMs !== undefined) this.signMs[index] = this.nowMs();
  }

  onControl(channel: ChannelReceiver, element: ControlElement): GateEvent {
    const index = this.channels.indexOf(channel);
    this.noteSign(index);
    switch (element.kind) {
      case 'watermark':
        return this.onWatermark(index, element.time);
      case 'idle':
        return this.onIdle(index);
      case 'endOfInput':
        return this.onEnd(index, element);
      case 'close':
        this.hasClosed[index] = true;
        this.closed += 1;
        this.capturing?.delivered(index);
        return this.closed === this.channels.length ? element : undefined;
      case 'barrier':
        return this.align(index, element);
    }
  }

  /** A control element of the only input, which is not a channel. */
  onOnly(element: ControlElement): GateEvent {
    if (element.kind !== 'watermark') return element;
    this.combiner.advance(0, element.time);
    return element;
  }

  /**
   * The stage's state is frozen for this barrier: what its channels have is part of the checkpoint,
   * if the barrier has overtaken it.
   */
  capture(barrier: CheckpointBarrier): void {
    if (barrier !== this.overtaking || this.listener === undefined) return;
    this.overtaking = undefined;
    const { combiner } = this;
    const channels = this.channels.map((receiver, index) => ({
      receiver,
      hasBarrier: this.hasDelivered[index]! || this.hasClosed[index]!,
      ...combiner.input(index),
      combined: combiner.watermark,
    }));
    this.capturing = new ChannelCapture(barrier, channels, this.listener, (index) => {
      this.isBlocked[index] = true;
    });
    this.capturing.begin();
  }

  /** The checkpoint is given up: none of its barriers is waited for. */
  abort(checkpoint: number): void {
    if (checkpoint < this.newest) return;
    this.begin(checkpoint);
    this.abandoned = checkpoint;
  }

  /** All that have not ended are idle. */
  get isIdle(): boolean {
    return this.combiner.allIdle;
  }

  /** Of its channels, as checkpoints have them. */
  names(): readonly string[] {
    return this.channels.map(({ id }) => channelName(id));
  }

  /**
   * Takes up what a checkpoint had of the channels, by their names; before anything arrives. What
   * said that one is idle is old: it may have got records while there was no job.
   */
  restore(states: ReadonlyMap<string, ChannelState>): void {
    for (const [index, channel] of this.channels.entries()) {
      const state = states.get(channelName(channel.id));
      if (state === undefined) continue;
      const elements = state.elements.filter((each) => !('kind' in each) || each.kind !== 'idle');
      channel.restore(elements);
      this.combiner.restore(index, state);
    }
  }

  /** Blocks the channel until all have delivered the barrier: what follows it is not part of it. */
  private align(index: number, barrier: CheckpointBarrier): GateEvent {
    const { checkpoint, mode } = barrier;
    // In the queue it only marks the place at which it has overtaken.
    if (mode === 'unaligned' || this.isOld(checkpoint)) return undefined;
    if (checkpoint > this.newest) this.begin(checkpoint);
    this.isBlocked[index] = true;
    this.blocked += 1;
    if (this.blocked + this.closed < this.channels.length) return undefined;
    this.unblock();
    return barrier;
  }

  private overtake(index: number, barrier: CheckpointBarrier): void {
    const { checkpoint } = barrier;
    if (this.isOld(checkpoint)) return;
    if (checkpoint > this.newest) {
      this.begin(checkpoint);
      this.hasDelivered.fill(false);
      this.overtaking = barrier;
    }
    this.hasDelivered[index] = true;
    this.isBlocked[index] = false;
    this.capturing?.delivered(index);
  }

  private isOld(checkpoint: number): boolean {
    return checkpoint < this.newest || checkpoint <= this.abandoned;
  }

  /** Only one checkpoint is taken at a time: what the one before it still waits for is over. */
  private begin(checkpoint: number): void {
    this.newest = checkpoint;
    this.overtaking = undefined;
    this.capturing?.cancel();
    this.capturing = undefined;
    this.unblock();
  }

  private unblock(): void {
    this.isBlocked.fill(false);
    this.blocked = 0;
  }

  /** Once for each channel: a restored source ends again, behind an end that waited here. */
  private onEnd(index: number, element: ControlElement): GateEvent {
    if (this.hasEnded[index]) return undefined;
    this.hasEnded[index] = true;
    return this.hasEnded.every((ended) => ended) ? element : undefined;
  }

  /**
   * With the end of the last one that was not idle, nobody waits for the others any more. Where all
   * were idle, the watermark that stands says that one is not.
   */
  private onWatermark(index: number, timeMs: number): GateEvent {
    const { combiner } = this;
    const wereIdle = combiner.allIdle;
    if (combiner.advance(index, timeMs)) return watermarkOf(combiner.watermark);
    if (combiner.allIdle) return wereIdle ? undefined : idleElement;
    return wereIdle ? watermarkOf(combiner.watermark) : undefined;
  }

  private onIdle(index: number): GateEvent {
    const before = this.combiner.watermark;
    const allIdle = this.combiner.idle(index);
    if (this.combiner.watermark > before) {
      return watermarkOf(this.combiner.watermark);
    }
    return allIdle ? idleElement : undefined;
  }
}
