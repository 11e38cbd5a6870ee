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

/** The inputs of a stage: takes elements from its channels in turn and combines control. */
export class InputGate {
  private readonly channels: readonly ChannelReceiver[];
  private readonly combiner: WatermarkCombiner;
  private next = 0;
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

  /** A channel with an element, in turn; undefined when all are empty. */
  nextChannel(): ChannelReceiver | undefined {
    const { channels } = this;
    for (let i = 0; i < channels.length; i += 1) {
      const at = (this.next + i) % channels.length;
      const channel = channels[at]!;
      if (channel.isEmpty || this.isBlocked[at]) continue;
      this.next = at;
      return channel;
    }
    return undefined;
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
