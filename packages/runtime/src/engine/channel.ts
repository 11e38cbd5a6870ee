import type { CheckpointBarrier, ControlElement } from '@millrace/core/spi';
import type { ChannelElement } from '../checkpoint/channel-state.js';
import { batchDecoder } from '../exchange/codec/batch-decoder.js';
import { runtimeLimits } from '../limits.js';
import type { BatchShape } from '../plan/batch-shape.js';
import type { ChannelId } from '../plan/channel-id.js';
import { BatchPool, PooledBatch } from './batch-pool.js';

export type Element = PooledBatch | ControlElement;

/** As it waits: a batch of this slot, the bytes of one of another slot, or control. */
export type WaitingElement = Element | Uint8Array;

export const isBatch = (element: Element): element is PooledBatch => element instanceof PooledBatch;

/** Takes note of what arrives. */
export type Recorder = (element: WaitingElement) => void;

/** The end of a channel that a subtask writes to. */
export interface ChannelSender {
  readonly edgeId: string;
  /** Records ever sent. */
  readonly records: number;
  readonly hasCredit: boolean;
  /** Whether it takes more beyond its credit, so that what was begun ends ahead of a barrier. */
  readonly canOverdraw: boolean;
  /** Takes a batch, or keeps it for the receiver, as one of its holders. */
  send(batch: PooledBatch): void;
  sendControl(element: ControlElement): void;
}

/** The end of a channel that a subtask reads. */
export interface ChannelReceiver {
  readonly id: ChannelId;
  readonly input: 0 | 1;
  readonly isEmpty: boolean;
  peek(): Element | undefined;
  /** Removes the first element; a batch still is the receiver's to release. */
  shift(): void;
  /** All that waits, in order; an overtaking barrier keeps the place in which it arrived. */
  waiting(): readonly WaitingElement[];
  /** Calls back as soon as an overtaking barrier arrives, whatever waits ahead of it. */
  onOvertaking(listener: (barrier: CheckpointBarrier) => void): void;
  /** Tells what arrives from now on; undefined: no more. */
  record(recorder: Recorder | undefined): void;
  /**
   * Fills the channel with what a checkpoint had of it, which takes credit like anything else.
   * Called before anything has arrived.
   */
  restore(elements: readonly ChannelElement[]): void;
}

/**
 * An ordered queue from one stage to one input of another in the same slot.
 *
 * Law: a sender without credit writes no batch, but for what is to come ahead of an overtaking
 * barrier, which is bounded, too. Control elements need no credit; of watermarks and idle marks
 * that wait behind one another only the last is kept, so the queue is bounded.
 */
export class Channel implements ChannelSender, ChannelReceiver {
  readonly id: ChannelId;
  readonly input: 0 | 1;
  /** Records ever sent. */
  records = 0;
  private readonly shape: BatchShape;
  private readonly batchesMax: number;
  private readonly elements: Element[] = [];
  private batches = 0;
  private waitingRecords = 0;
  private tellBarrier: ((barrier: CheckpointBarrier) => void) | undefined;
  private recorder: Recorder | undefined;

  /** @param batchesMax batches that wait in it before its sender has no more credit */
  constructor(
    id: ChannelId,
    shape: BatchShape,
    batchesMax: number = runtimeLimits.channelBatchesMax,
  ) {
    this.id = id;
    this.input = id.input;
    this.shape = shape;
    this.batchesMax = batchesMax;
  }

  get edgeId(): string {
    return this.id.edge;
  }

  get hasCredit(): boolean {
    return this.batches < this.batchesMax;
  }

  get canOverdraw(): boolean {
    return this.waitingRecords < runtimeLimits.overdraftRecordsMax;
  }

  get isEmpty(): boolean {
    return this.elements.length === 0;
  }

  send(batch: PooledBatch): void {
    this.records += batch.count;
    this.keep(batch);
    this.recorder?.(batch);
  }

  sendControl(element: ControlElement): void {
    const last = this.elements.length - 1;
    if (last >= 0 && replaces(this.elements[last]!, element)) this.elements[last] = element;
    else this.elements.push(element);
    this.recorder?.(element);
    if (element.kind === 'barrier' && element.mode === 'unaligned') this.tellBarrier?.(element);
  }

  peek(): Element | undefined {
    return this.elements[0];
  }

  shift(): void {
    const element = this.elements.shift();
    if (element === undefined || !isBatch(element)) return;
    this.batches -= 1;
    this.waitingRecords -= element.count;
  }

  private keep(batch: PooledBatch): void {
    this.batches += 1;
    this.waitingRecords += batch.count;
    this.elements.push(batch);
  }

  waiting(): readonly WaitingElement[] {
    return this.elements;
  }

  onOvertaking(listener: (barrier: CheckpointBarrier) => void): void {
    this.tellBarrier = listener;
  }

  record(recorder: Recorder | undefined): void {
    this.recorder = recorder;
  }

  restore(elements: readonly ChannelElement[]): void {
    const pool = new BatchPool(this.shape);
    const decoder = batchDecoder();
    for (const element of elements) {
      if (!(element instanceof Uint8Array)) {
        this.elements.push(element);
        continue;
      }
      const batch = pool.take();
      decoder.decode(element, 0, batch);
      batch.holders = 1;
      this.keep(batch);
    }
  }
}

/** A watermark makes the one waiting ahead of it useless; idle after a watermark does not. */
export function replaces(waiting: Element, element: ControlElement): boolean {
  if (isBatch(waiting)) return false;
  return waiting.kind === 'idle' || waiting.kind === 'watermark'
    ? element.kind === 'watermark'
    : false;
}
