import { MillraceError } from '@millrace/core';
import type { ChannelReceiver, ChannelSender } from '../engine/channel.js';
import type { ChannelId } from '../plan/channel-id.js';
import type { ChannelPlan } from '../plan/physical-plan.js';
import { FrameKind, readHead } from './frame.js';
import type { Lane, LaneListener } from './lane.js';
import { RemoteReceiver } from './remote-receiver.js';
import { RemoteSender } from './remote-sender.js';

/** Opens the lane to another slot of the attempt; each pair of slots has one, both ways. */
export type OpenLane = (slot: number, listener: LaneListener) => Lane;

/** The channels of a slot to and from others: frames go to their channels and back. */
export class SlotExchange {
  private readonly openLane: OpenLane;
  private readonly wake: (failure?: unknown) => void;
  private readonly lanes = new Map<number, Lane>();
  private readonly senders = new Map<number, RemoteSender>();
  private readonly receivers = new Map<number, RemoteReceiver>();

  /** @param wake called when there may be something to do, or with what went wrong */
  constructor(openLane: OpenLane, wake: (failure?: unknown) => void) {
    this.openLane = openLane;
    this.wake = wake;
  }

  sender({ id, output, target }: ChannelPlan, toSlot: number): ChannelSender {
    const sent = { edgeId: target.edge.id, operator: output.node };
    const sender = new RemoteSender(id, sent, this.laneTo(toSlot));
    this.senders.set(id, sender);
    return sender;
  }

  receiver({ id, output }: ChannelPlan, name: ChannelId, fromSlot: number): ChannelReceiver {
    const receiver = new RemoteReceiver(id, name, output.shape, this.laneTo(fromSlot));
    this.receivers.set(id, receiver);
    return receiver;
  }

  close(): void {
    for (const lane of this.lanes.values()) lane.close();
  }

  private laneTo(slot: number): Lane {
    let lane = this.lanes.get(slot);
    if (lane === undefined) {
      lane = this.openLane(slot, {
        onFrame: (frame) => this.onFrame(frame),
        onRoom: () => this.wake(),
        onFailure: (error) => this.wake(error),
      });
      this.lanes.set(slot, lane);
    }
    return lane;
  }

  private onFrame(frame: Uint8Array): void {
    try {
      const head = readHead(frame);
      if (head.kind === FrameKind.credit) this.senders.get(head.channel)?.onCredit(head.value);
      else this.receiverOf(head.channel).onFrame(head, frame);
      this.wake();
    } catch (error) {
      this.wake(error);
    }
  }

  private receiverOf(channel: number): RemoteReceiver {
    const receiver = this.receivers.get(channel);
    if (receiver !== undefined) return receiver;
    throw new MillraceError('ERR_INVARIANT', `a frame of channel ${channel}, which ends elsewhere`);
  }
}
