import type { CheckpointBarrier } from '@millrace/core/spi';
import type { ChannelElement, ChannelState } from '../checkpoint/channel-state.js';
import { type BatchEncoder, batchEncoder } from '../exchange/codec/batch-encoder.js';
import { runtimeLimits } from '../limits.js';
import { type ChannelReceiver, isBatch, replaces, type WaitingElement } from './channel.js';

/** Who is told what a gate's channels had for a checkpoint. */
export interface CaptureListener {
  channelsAtBarrier(barrier: CheckpointBarrier, states: readonly ChannelState[]): void;
  channelsFailed(checkpoint: number, error: unknown): void;
}

/** A channel as its gate knows it at the barrier. */
export interface ChannelAtBarrier extends Omit<ChannelState, 'channel' | 'elements'> {
  readonly receiver: ChannelReceiver;
  /** Its barrier is here; otherwise what arrives until then is state, too. */
  readonly hasBarrier: boolean;
}

/** What is noted of one channel. */
interface Noted {
  readonly at: ChannelAtBarrier;
  readonly encoder: () => BatchEncoder;
  readonly elements: ChannelElement[];
  bytes: number;
  isOpen: boolean;
}

/**
 * Notes what waits in the channels of a stage when an overtaking barrier takes effect there, and
 * what arrives on those that have not delivered it yet, while the stage goes on.
 *
 * Law: what a channel's sender gave ahead of its barrier is either in the state that the stage
 * froze, or noted here; never both.
 */
export class ChannelCapture {
  private readonly barrier: CheckpointBarrier;
  private readonly listener: CaptureListener;
  private readonly block: (channel: number) => void;
  private readonly noted: readonly Noted[];
  private isOver = false;

  /** @param block called when so much of a channel is noted that it is to wait for its barrier */
  constructor(
    barrier: CheckpointBarrier,
    channels: readonly ChannelAtBarrier[],
    listener: CaptureListener,
    block: (channel: number) => void,
  ) {
    this.barrier = barrier;
    this.listener = listener;
    this.block = block;
    this.noted = channels.map((at) => {
      let encoder: BatchEncoder | undefined;
      return {
        at,
        encoder: () => {
          encoder ??= batchEncoder();
          return encoder;
        },
        elements: [],
        bytes: 0,
        isOpen: !at.hasBarrier,
      };
    });
  }

  /** Notes what waits now. */
  begin(): void {
    for (const [index, { at, isOpen }] of this.noted.entries()) {
      for (const element of at.receiver.waiting()) {
        if (isOwnBarrier(element, this.barrier)) break;
        this.note(index, element);
      }
      if (isOpen && !this.isOver) at.receiver.record((element) => this.note(index, element));
    }
    this.completeIfAll();
  }

  /** The channel has delivered its barrier: what comes now belongs behind the checkpoint. */
  delivered(index: number): void {
    const noted = this.noted[index]!;
    if (!noted.isOpen) return;
    noted.isOpen = false;
    noted.at.receiver.record(undefined);
    this.completeIfAll();
  }

  /** The checkpoint is given up. */
  cancel(): void {
    this.isOver = true;
    for (const { at } of this.noted) at.receiver.record(undefined);
  }

  private note(index: number, element: WaitingElement): void {
    if (this.isOver) return;
    const noted = this.noted[index]!;
    const { elements } = noted;
    if (element instanceof Uint8Array || isBatch(element)) {
      const bytes = this.bytesOf(noted, element);
      if (bytes === undefined) return;
      elements.push(bytes);
      noted.bytes += bytes.length;
      if (noted.isOpen && noted.bytes > runtimeLimits.recordedBytesMax) this.block(index);
      return;
    }
    // Barriers that wait are of checkpoints that were given up.
    if (element.kind === 'barrier') return;
    const last = elements.at(-1);
    const isReplaced =
      last !== undefined && !(last instanceof Uint8Array) && replaces(last, element);
    if (isReplaced) elements[elements.length - 1] = element;
    else elements.push(element);
  }

  /** Batches are used again, so they become bytes at once; what came as bytes is never changed. */
  private bytesOf(
    { encoder }: Noted,
    element: Extract<WaitingElement, Uint8Array | { count: number }>,
  ): Uint8Array | undefined {
    if (element instanceof Uint8Array) return element;
    try {
      return encoder().encode(element, 0);
    } catch (error) {
      this.cancel();
      this.listener.channelsFailed(this.barrier.checkpoint, error);
      return undefined;
    }
  }

  private completeIfAll(): void {
    if (this.isOver || this.noted.some(({ isOpen }) => isOpen)) return;
    this.isOver = true;
    const states = this.noted.map(({ at, elements }): ChannelState => {
      const { receiver, watermark, isIdle, combined } = at;
      return { channel: receiver.id, watermark, isIdle, combined, elements };
    });
    this.listener.channelsAtBarrier(this.barrier, states);
  }
}

const isOwnBarrier = (element: WaitingElement, { checkpoint }: CheckpointBarrier): boolean =>
  !(element instanceof Uint8Array) &&
  !isBatch(element) &&
  element.kind === 'barrier' &&
  element.checkpoint === checkpoint;
