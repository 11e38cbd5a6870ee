import type { ControlElement } from '@millrace/core/spi';
import type { PooledBatch } from './batch-pool.js';
import type { ChannelSender } from './channel.js';

/** Moves what an output gives over an edge to the subtasks behind it. */
export interface Route {
  readonly channels: readonly ChannelSender[];
  /** Whether a batch may be given, whatever is in it. */
  readonly hasCredit: boolean;
  /** Takes a batch as one of its holders. */
  send(batch: PooledBatch): void;
  /** Sends a control element to all subtasks, behind the records given so far. */
  sendControl(element: ControlElement): void;
  /** Hands on what waits for more records, where anything does; true when there was something. */
  flush?(): boolean;
  /** Hands on what has waited for long enough; called now and then. */
  linger?(nowMs: number): void;
}

/** All records to one subtask; the others are only told of watermarks, barriers and ends. */
export class SingleRoute implements Route {
  readonly channels: readonly ChannelSender[];
  private readonly channel: ChannelSender;

  constructor(channels: readonly ChannelSender[]) {
    this.channels = channels;
    this.channel = channels[0]!;
  }

  get hasCredit(): boolean {
    return this.channel.hasCredit;
  }

  send(batch: PooledBatch): void {
    this.channel.send(batch);
  }

  sendControl(element: ControlElement): void {
    for (const channel of this.channels) channel.sendControl(element);
  }
}

/** All records to all subtasks. */
export class BroadcastRoute implements Route {
  readonly channels: readonly ChannelSender[];

  constructor(channels: readonly ChannelSender[]) {
    this.channels = channels;
  }

  get hasCredit(): boolean {
    return this.channels.every(({ hasCredit }) => hasCredit);
  }

  send(batch: PooledBatch): void {
    batch.holders += this.channels.length - 1;
    for (const channel of this.channels) channel.send(batch);
  }

  sendControl(element: ControlElement): void {
    for (const channel of this.channels) channel.sendControl(element);
  }
}

/** Batches to the subtasks in turn; one that cannot take any now is passed over. */
export class RoundRobinRoute implements Route {
  readonly channels: readonly ChannelSender[];
  private next: number;

  /** @param first subtasks that send begin at different places */
  constructor(channels: readonly ChannelSender[], first: number) {
    this.channels = channels;
    this.next = first % channels.length;
  }

  get hasCredit(): boolean {
    return this.channels.some(({ hasCredit }) => hasCredit);
  }

  send(batch: PooledBatch): void {
    const { channels } = this;
    let at = this.next;
    for (let i = 0; i < channels.length && !channels[at]!.hasCredit; i += 1) {
      at = (at + 1) % channels.length;
    }
    channels[at]!.send(batch);
    this.next = (at + 1) % channels.length;
  }

  sendControl(element: ControlElement): void {
    for (const channel of this.channels) channel.sendControl(element);
  }
}
