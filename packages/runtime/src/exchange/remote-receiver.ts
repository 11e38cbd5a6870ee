import type { ControlElement } from '@millrace/core/spi';
import { BatchPool } from '../engine/batch-pool.js';
import { type ChannelReceiver, type Element, replaces } from '../engine/channel.js';
import { runtimeLimits } from '../limits.js';
import type { BatchShape } from '../plan/batch-shape.js';
import { type BatchDecoder, batchDecoder } from './codec/batch-decoder.js';
import {
  creditFrame,
  creditOf,
  elementOf,
  type FrameHead,
  FrameKind,
  frameHeadBytes,
} from './frame.js';
import type { Lane } from './lane.js';

/**
 * The receiving end of a channel from another slot: what came is kept as bytes until its turn, so
 * that whoever is behind with his work does not keep decoded records, too.
 */
export class RemoteReceiver implements ChannelReceiver {
  readonly input: 0 | 1;
  private readonly channel: number;
  private readonly lane: Lane;
  private readonly pool: BatchPool;
  private readonly decoder: BatchDecoder = batchDecoder();
  private readonly waiting: (Uint8Array | ControlElement)[] = [];
  /** The first of those waiting, decoded. */
  private first: Element | undefined;
  private takenBytes = 0;
  private toldBytes = 0;

  constructor(channel: number, input: 0 | 1, shape: BatchShape, lane: Lane) {
    this.channel = channel;
    this.input = input;
    this.pool = new BatchPool(shape);
    this.lane = lane;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  onFrame(head: FrameHead, frame: Uint8Array): void {
    if (head.kind === FrameKind.batch) {
      this.waiting.push(frame);
      return;
    }
    const element = elementOf(head);
    const at = this.waiting.length - 1;
    const last = this.waiting[at];
    const isFirst = at === 0 && this.first !== undefined;
    if (
      last !== undefined &&
      !(last instanceof Uint8Array) &&
      !isFirst &&
      replaces(last, element)
    ) {
      this.waiting[at] = element;
    } else this.waiting.push(element);
  }

  peek(): Element | undefined {
    const next = this.waiting[0];
    if (next === undefined || !(next instanceof Uint8Array)) return next;
    this.first ??= this.decode(next);
    return this.first;
  }

  shift(): void {
    const next = this.waiting.shift();
    this.first = undefined;
    if (!(next instanceof Uint8Array)) return;
    this.takenBytes += creditOf(next);
    const untold = this.takenBytes - this.toldBytes;
    if (untold < runtimeLimits.channelBytesMax * runtimeLimits.creditShare) return;
    this.toldBytes = this.takenBytes;
    this.lane.send(creditFrame(this.channel, this.takenBytes));
  }

  private decode(frame: Uint8Array): Element {
    const batch = this.pool.take();
    this.decoder.decode(frame, frameHeadBytes, batch);
    batch.holders = 1;
    return batch;
  }
}
