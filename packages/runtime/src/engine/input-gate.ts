import type { ControlElement } from '@millrace/core/spi';
import type { Channel } from './channel.js';
import { WatermarkCombiner } from './watermark-combiner.js';

/** What the gate makes of a control element: what is to be told the operator, if anything. */
export type GateEvent =
  | { readonly kind: 'watermark'; readonly time: number }
  | { readonly kind: 'idle' | 'endOfInput' | 'close' }
  | undefined;

/** The inputs of a stage: takes elements from its channels in turn and combines control. */
export class InputGate {
  private readonly channels: readonly Channel[];
  private readonly combiner: WatermarkCombiner;
  private next = 0;
  private ended = 0;
  private closed = 0;

  constructor(channels: readonly Channel[]) {
    this.channels = channels;
    // A stage that reads a source directly has no channel, and still one watermark.
    this.combiner = new WatermarkCombiner(Math.max(1, channels.length));
  }

  get watermark(): number {
    return this.combiner.watermark;
  }

  /** A channel with an element, in turn; undefined when all are empty. */
  nextChannel(): Channel | undefined {
    const { channels } = this;
    for (let i = 0; i < channels.length; i += 1) {
      const channel = channels[(this.next + i) % channels.length]!;
      if (channel.isEmpty) continue;
      this.next = (this.next + i) % channels.length;
      return channel;
    }
    return undefined;
  }

  get isEmpty(): boolean {
    for (const channel of this.channels) if (!channel.isEmpty) return false;
    return true;
  }

  /** Lets the other channels have their turn. */
  turn(): void {
    this.next = (this.next + 1) % this.channels.length;
  }

  /** A batch arrived: its channel is active again. */
  onBatch(channel: Channel): void {
    if (this.channels.length > 1) this.combiner.activate(this.channels.indexOf(channel));
  }

  onControl(channel: Channel, element: ControlElement): GateEvent {
    const index = this.channels.indexOf(channel);
    switch (element.kind) {
      case 'watermark':
        return this.combiner.advance(index, element.time)
          ? { kind: 'watermark', time: this.combiner.watermark }
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
        // Sources send none before there are checkpoints.
        return undefined;
    }
  }

  /** A control element of the only input, which is not a channel. */
  onOnly(element: ControlElement): GateEvent {
    if (element.kind === 'barrier') return undefined;
    if (element.kind !== 'watermark') return element;
    this.combiner.advance(0, element.time);
    return element;
  }

  private onIdle(index: number): GateEvent {
    const before = this.combiner.watermark;
    const allIdle = this.combiner.idle(index);
    if (this.combiner.watermark > before) {
      return { kind: 'watermark', time: this.combiner.watermark };
    }
    return allIdle ? { kind: 'idle' } : undefined;
  }
}
