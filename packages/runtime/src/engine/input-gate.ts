import {
  type CheckpointBarrier,
  type ControlElement,
  idleElement,
  watermarkOf,
} from '@millrace/core/spi';
import type { ChannelReceiver } from './channel.js';
import { WatermarkCombiner } from './watermark-combiner.js';

/** What the gate makes of a control element: what is to be told the operator, if anything. */
export type GateEvent = ControlElement | undefined;

/** Of so many turns one is not given by event time: nobody waits for ever. */
const turnsByTime = 8;

/** The inputs of a stage: takes elements from its channels in turn and combines control. */
export class InputGate {
  private readonly channels: readonly ChannelReceiver[];
  private readonly combiner: WatermarkCombiner;
  private next = 0;
  private turns = 0;
  private ended = 0;
  private closed = 0;
  /** Channels that have delivered the barrier the others are waited for; closed ones, too. */
  private readonly isBlocked: boolean[];
  private blocked = 0;

  constructor(channels: readonly ChannelReceiver[]) {
    this.channels = channels;
    this.isBlocked = channels.map(() => false);
    // A stage that reads a source directly has no channel, and still one watermark.
    this.combiner = new WatermarkCombiner(Math.max(1, channels.length));
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
    const { channels, combiner } = this;
    let found = -1;
    for (let i = 0; i < channels.length; i += 1) {
      const at = (this.next + i) % channels.length;
      if (channels[at]!.isEmpty || this.isBlocked[at]) continue;
      if (found < 0 || combiner.markOf(at) < combiner.markOf(found)) found = at;
      if (this.turns % turnsByTime === 0) break;
    }
    if (found < 0) return undefined;
    this.next = found;
    return channels[found];
  }

  get isEmpty(): boolean {
    for (let i = 0; i < this.channels.length; i += 1) {
      if (!this.channels[i]!.isEmpty && !this.isBlocked[i]) return false;
    }
    return true;
  }

  /** Lets the other channels have their turn. */
  turn(): void {
    this.next = (this.next + 1) % this.channels.length;
    this.turns += 1;
  }

  /** A batch arrived: its channel is active again. */
  onBatch(channel: ChannelReceiver): void {
    if (this.channels.length > 1) this.combiner.activate(this.channels.indexOf(channel));
  }

  onControl(channel: ChannelReceiver, element: ControlElement): GateEvent {
    const index = this.channels.indexOf(channel);
    switch (element.kind) {
      case 'watermark':
        return this.combiner.advance(index, element.time)
          ? watermarkOf(this.combiner.watermark)
          : undefined;
      case 'idle':
        return this.onIdle(index);
      case 'endOfInput':
        this.ended += 1;
        return this.ended === this.channels.length ? element : undefined;
      case 'close':
        this.closed += 1;
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

  /** Blocks the channel until all have delivered the barrier: what follows it is not part of it. */
  private align(index: number, barrier: CheckpointBarrier): GateEvent {
    this.isBlocked[index] = true;
    this.blocked += 1;
    if (this.blocked + this.closed < this.channels.length) return undefined;
    this.isBlocked.fill(false);
    this.blocked = 0;
    return barrier;
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
