import { toMillraceError } from '@millrace/core/internal';
import type { ControlElement } from '@millrace/core/spi';
import type { PooledBatch } from '../engine/batch-pool.js';
import type { ChannelSender } from '../engine/channel.js';
import { runtimeLimits } from '../limits.js';
import { type BatchEncoder, batchEncoder } from './codec/batch-encoder.js';
import { controlFrame, creditOf, frameHeadBytes, writeBatchHead } from './frame.js';
import type { Lane } from './lane.js';

/** What a channel carries. */
export interface SentOutput {
  readonly edgeId: string;
  /** Whose output it is, for errors. */
  readonly operator: string;
}

/**
 * The sending end of a channel to another slot.
 *
 * Credit is absolute: the receiver says how many bytes it has taken ever, so that a message about
 * it that is lost or doubled does no harm.
 */
export class RemoteSender implements ChannelSender {
  readonly edgeId: string;
  records = 0;
  private readonly channel: number;
  private readonly operator: string;
  private readonly lane: Lane;
  private readonly encoder: BatchEncoder = batchEncoder();
  private sentBytes = 0;
  private takenBytes = 0;

  constructor(channel: number, { edgeId, operator }: SentOutput, lane: Lane) {
    this.channel = channel;
    this.edgeId = edgeId;
    this.operator = operator;
    this.lane = lane;
  }

  get hasCredit(): boolean {
    return this.sentBytes - this.takenBytes < runtimeLimits.channelBytesMax && this.lane.hasRoom;
  }

  get canOverdraw(): boolean {
    const { channelBytesMax, overdraftBytesMax } = runtimeLimits;
    const onTheirWay = this.sentBytes - this.takenBytes;
    return onTheirWay < channelBytesMax + overdraftBytesMax && this.lane.hasRoom;
  }

  send(batch: PooledBatch): void {
    const frame = this.encode(batch);
    writeBatchHead(frame, this.channel);
    this.records += batch.count;
    this.sentBytes += creditOf(frame);
    batch.release();
    this.lane.send(frame);
  }

  sendControl(element: ControlElement): void {
    this.lane.send(controlFrame(this.channel, element));
  }

  /**
   * The receiver has taken so many bytes ever. A number below 0 says how many it has still to take
   * of what a checkpoint had of the channel, which was never sent.
   */
  onCredit(takenBytes: number): void {
    if (takenBytes < 0 || takenBytes > this.takenBytes) this.takenBytes = takenBytes;
  }

  private encode(batch: PooledBatch): Uint8Array<ArrayBuffer> {
    const places = batch.places?.between(0, batch.count);
    try {
      return this.encoder.encode(batch, frameHeadBytes, places);
    } catch (error) {
      // The path within a record alone does not say which function gave it.
      throw toMillraceError(error, 'ERR_UNSERIALISABLE_VALUE', { operator: this.operator });
    }
  }
}
