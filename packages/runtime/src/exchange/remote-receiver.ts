import type { CheckpointBarrier, ControlElement } from '@millrace/core/spi';
import type { ChannelElement } from '../checkpoint/channel-state.js';
import { BatchPool } from '../engine/batch-pool.js';
import {
  type ChannelReceiver,
  type Element,
  type Recorder,
  replaces,
  type WaitingElement,
} from '../engine/channel.js';
import { runtimeLimits } from '../limits.js';
import type { BatchShape } from '../plan/batch-shape.js';
import type { ChannelId } from '../plan/channel-id.js';
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
  readonly id: ChannelId;
  readonly input: 0 | 1;
  private readonly channel: number;
  private readonly lane: Lane;
  private readonly pool: BatchPool;
  private readonly decoder: BatchDecoder = batchDecoder();
  private readonly elements: (Uint8Array | ControlElement)[] = [];
  /** The first of those waiting, decoded. */
  private first: Element | undefined;
  private takenBytes = 0;
  private toldBytes = 0;
  private tellBarrier: ((barrier: CheckpointBarrier) => void) | undefined;
  private recorder: Recorder | undefined;

  constructor(channel: number, id: ChannelId, shape: BatchShape, lane: Lane) {
    this.channel = channel;
    this.id = id;
    this.input = id.input;
    this.pool = new BatchPool(shape);
    this.lane = lane;
  }

  get isEmpty(): boolean {
    return this.elements.length === 0;
  }

  onFrame(head: FrameHead, frame: Uint8Array): void {
    if (head.kind === FrameKind.batch) {
      this.elements.push(frame);
      this.recorder?.(frame.subarray(frameHeadBytes));
      return;
    }
    const element = elementOf(head);
    this.keep(element);
    this.recorder?.(element);
    if (element.kind === 'barrier' && element.mode === 'unaligned') this.tellBarrier?.(element);
  }

  private keep(element: ControlElement): void {
    const at = this.elements.length - 1;
    const last = this.elements[at];
    const isFirst = at === 0 && this.first !== undefined;
    if (
      last !== undefined &&
      !(last instanceof Uint8Array) &&
      !isFirst &&
      replaces(last, element)
    ) {
      this.elements[at] = element;
    } else this.elements.push(element);
  }

  peek(): Element | undefined {
    const next = this.elements[0];
    if (next === undefined || !(next instanceof Uint8Array)) return next;
    this.first ??= this.decode(next);
    return this.first;
  }

  shift(): void {
    const next = this.elements.shift();
    this.first = undefined;
    if (!(next instanceof Uint8Array)) return;
    this.takenBytes += creditOf(next);
    const untold = this.takenBytes - this.toldBytes;
    if (untold < runtimeLimits.channelBytesMax * runtimeLimits.creditShare) return;
    this.toldBytes = this.takenBytes;
    this.lane.send(creditFrame(this.channel, this.takenBytes));
  }

  waiting(): readonly WaitingElement[] {
    return this.elements.map((each) =>
      each instanceof Uint8Array ? each.subarray(frameHeadBytes) : each,
    );
  }

  onOvertaking(listener: (barrier: CheckpointBarrier) => void): void {
    this.tellBarrier = listener;
  }

  record(recorder: Recorder | undefined): void {
    this.recorder = recorder;
  }

  restore(elements: readonly ChannelElement[]): void {
    for (const element of elements) {
      if (!(element instanceof Uint8Array)) {
        this.elements.push(element);
        continue;
      }
      const frame = new Uint8Array(frameHeadBytes + element.length);
      frame.set(element, frameHeadBytes);
      this.elements.push(frame);
      this.takenBytes -= creditOf(frame);
    }
    if (this.takenBytes === 0) return;
    this.toldBytes = this.takenBytes;
    this.lane.send(creditFrame(this.channel, this.takenBytes));
  }

  private decode(frame: Uint8Array): Element {
    const batch = this.pool.take();
    const places = this.decoder.decode(frame, frameHeadBytes, batch);
    if (places !== undefined) batch.trace(places, 0, batch.count, 'any');
    batch.holders = 1;
    return batch;
  }
}
