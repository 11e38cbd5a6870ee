import { MillraceError } from '@millrace/core';
import { runtimeLimits } from '../limits.js';
import { channelIdOf } from '../plan/channel-id.js';
import { type ChannelPlan, slotOf } from '../plan/physical-plan.js';
import type { StageOutput, StageTarget } from '../plan/stage-plan.js';
import { Channel, type ChannelReceiver, type ChannelSender } from './channel.js';
import { BroadcastRoute, RoundRobinRoute, type Route, SingleRoute } from './route.js';
import { assignByFunction, assignByKey, ScatterRoute } from './scatter-route.js';
import type { SlotWorld } from './stage-world.js';

/** The ends of channels that are in one slot, by the subtasks that write and read them. */
export class ChannelEnds {
  /** In the order of the plan. */
  readonly senders: readonly ChannelSender[];
  private readonly world: SlotWorld;
  /** By target and by subtask that writes: several stages may have an output of the same name. */
  private readonly outgoing = new Map<StageTarget, ChannelSender[][]>();
  private readonly incoming = new Map<string, ChannelReceiver[]>();

  constructor(world: SlotWorld) {
    this.world = world;
    const senders: ChannelSender[] = [];
    for (const plan of world.plan.channels) {
      const sender = this.make(plan);
      if (sender !== undefined) senders.push(sender);
    }
    this.senders = senders;
  }

  /** Channels that a subtask of a stage reads. */
  into(stage: number, subtask: number): readonly ChannelReceiver[] {
    return this.incoming.get(`${stage} ${subtask}`) ?? [];
  }

  /** Where an output of a subtask goes. */
  routesOf(output: StageOutput, subtask: number): readonly Route[] {
    return output.targets.map((target) => {
      const channels = this.outgoing.get(target)?.[subtask] ?? [];
      return this.route(output, target, channels, subtask);
    });
  }

  private route(
    { shape }: StageOutput,
    target: StageTarget,
    channels: readonly ChannelSender[],
    subtask: number,
  ): Route {
    switch (target.movement) {
      case 'forward':
      case 'gather':
        return new SingleRoute(channels);
      case 'broadcast':
        return new BroadcastRoute(channels);
      case 'rebalance':
      case 'rescale':
        return new RoundRobinRoute(channels, subtask);
      case 'key':
        return new ScatterRoute(channels, shape, assignByKey(channels.length));
      case 'custom': {
        const { partition } = this.world.job.functions.edges.get(target.edge.id)!;
        const assign = assignByFunction(channels.length, partition!, target.edge.to);
        return new ScatterRoute(channels, shape, assign);
      }
    }
  }

  /** The sending end, where it is here. */
  private make(plan: ChannelPlan): ChannelSender | undefined {
    const { slot, plan: whole } = this.world;
    const fromSlot = slotOf(plan.from.subtask, whole.slots);
    const toSlot = slotOf(plan.to.subtask, whole.slots);
    let sender: ChannelSender | undefined;
    let receiver: ChannelReceiver | undefined;
    const id = channelIdOf(whole, plan);
    if (fromSlot === slot && toSlot === slot) {
      const { channelBatchesMax, channelBatchesBesideMax } = runtimeLimits;
      const isAlone = whole.slots === 1 || plan.target.movement === 'forward';
      const batchesMax = isAlone ? channelBatchesMax : channelBatchesBesideMax;
      const channel = new Channel(id, plan.output.shape, batchesMax);
      sender = channel;
      receiver = channel;
    } else if (fromSlot === slot) sender = this.exchange().sender(plan, toSlot);
    else if (toSlot === slot) {
      receiver = this.exchange().receiver(plan, id, fromSlot);
    }
    if (sender !== undefined) {
      const bySubtask = this.outgoing.get(plan.target) ?? [];
      this.outgoing.set(plan.target, bySubtask);
      bySubtask[plan.from.subtask] ??= [];
      bySubtask[plan.from.subtask]!.push(sender);
    }
    if (receiver !== undefined) add(this.incoming, `${plan.to.stage} ${plan.to.subtask}`, receiver);
    return sender;
  }

  private exchange(): NonNullable<SlotWorld['exchange']> {
    if (this.world.exchange !== undefined) return this.world.exchange;
    throw new MillraceError('ERR_INVARIANT', 'a slot without lanes has channels to others');
  }
}

function add<T>(into: Map<string, T[]>, key: string, value: T): void {
  const list = into.get(key);
  if (list === undefined) into.set(key, [value]);
  else list.push(value);
}
