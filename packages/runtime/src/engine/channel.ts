import type { ControlElement } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import { PooledBatch } from './batch-pool.js';

export type Element = PooledBatch | ControlElement;

export const isBatch = (element: Element): element is PooledBatch => element instanceof PooledBatch;

/** The end of a channel that a subtask writes to. */
export interface ChannelSender {
  readonly edgeId: string;
  /** Records ever sent. */
  readonly records: number;
  readonly hasCredit: boolean;
  /** Takes a batch, or keeps it for the receiver, as one of its holders. */
  send(batch: PooledBatch): void;
  sendControl(element: ControlElement): void;
}

/** The end of a channel that a subtask reads. */
export interface ChannelReceiver {
  readonly input: 0 | 1;
  readonly isEmpty: boolean;
  peek(): Element | undefined;
  /** Removes the first element; a batch still is the receiver's to release. */
  shift(): void;
}

/**
 * An ordered queue from one stage to one input of another in the same slot.
 *
 * Law: a sender without credit writes no batch. Control elements need no credit; of watermarks
 * and idle marks that wait behind one another only the last is kept, so the queue is bounded.
 */
export class Channel implements ChannelSender, ChannelReceiver {
  readonly edgeId: string;
  readonly input: 0 | 1;
  /** Records ever sent. */
  records = 0;
  private readonly elements: Element[] = [];
  private batches = 0;

  constructor(edgeId: string, input: 0 | 1) {
    this.edgeId = edgeId;
    this.input = input;
  }

  get hasCredit(): boolean {
    return this.batches < runtimeLimits.channelBatchesMax;
  }

  get isEmpty(): boolean {
    return this.elements.length === 0;
  }

  send(batch: PooledBatch): void {
    this.records += batch.count;
    this.batches += 1;
    this.elements.push(batch);
  }

  sendControl(element: ControlElement): void {
    const last = this.elements.length - 1;
    if (last >= 0 && replaces(this.elements[last]!, element)) this.elements[last] = element;
    else this.elements.push(element);
  }

  peek(): Element | undefined {
    return this.elements[0];
  }

  shift(): void {
    const element = this.elements.shift();
    if (element !== undefined && isBatch(element)) this.batches -= 1;
  }
}

/** A watermark makes the one waiting ahead of it useless; idle after a watermark does not. */
export function replaces(waiting: Element, element: ControlElement): boolean {
  if (isBatch(waiting)) return false;
  return waiting.kind === 'idle' || waiting.kind === 'watermark'
    ? element.kind === 'watermark'
    : false;
}
