import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type JobParams, MillraceError } from '@millrace/core';
import type { Env } from '@millrace/core/spi';
import { Pulse, pulseCells } from '../engine/pulse.js';
import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import type { SlotControl, SlotListener, SlotMetrics } from '../job/slot-control.js';
import type { SlotProvider } from '../job/slot-provider.js';
import { mergeMetrics } from '../metrics/metric-registry.js';
import { type PhysicalPlan, type PlanOptions, stageNames } from '../plan/physical-plan.js';
import type { SlotThreadSpec } from './thread-messages.js';
import { ThreadSlot } from './thread-slot.js';

export interface ThreadSlotsParts
  extends Pick<
    SlotThreadSpec,
    | 'module'
    | 'moduleArgument'
    | 'fingerprint'
    | 'codegen'
    | 'checkRecords'
    | 'backend'
    | 'stateBytesMax'
    | 'stateMemoryBytes'
  > {
  readonly params: JobParams | undefined;
  readonly plan: PhysicalPlan;
  readonly planOptions: PlanOptions;
  readonly env: Env;
  readonly checkpointFolder: string | undefined;
}

/**
 * The slots of a job as worker threads. A thread belongs to one attempt and ends with it, since
 * modules never unload and what the author's code left behind must not meet the next attempt.
 */
export class ThreadSlots implements SlotProvider {
  private readonly parts: ThreadSlotsParts;
  private slots: ThreadSlot[] = [];
  private ports: readonly ReadonlyMap<number, MessagePort>[] = [];
  private attempt = 0;
  /** What slots of earlier attempts have counted. */
  private past: SlotMetrics['operators'] = {};

  constructor(parts: ThreadSlotsParts) {
    this.parts = parts;
  }

  begin(attempt: number): void {
    this.attempt = attempt;
    const ended = this.slots.map((slot) => counts(slot.metrics().operators));
    this.past = mergeMetrics([this.past, ...ended]);
    this.slots = [];
    this.ports = portsBetween(this.parts.plan.slots);
  }

  create(
    slot: number,
    checkpoints: SinkCheckpointsParts | undefined,
    listener: SlotListener,
  ): SlotControl {
    const { plan, env, checkpointFolder: folder, ...own } = this.parts;
    const pulse = new Int32Array(new SharedArrayBuffer(4 * pulseCells));
    const { name, lineage, replay, restored } = checkpoints ?? {};
    const spec: SlotThreadSpec = {
      ...own,
      slot,
      attempt: this.attempt,
      checkpoints:
        checkpoints === undefined
          ? undefined
          : { folder: folder!, name: name!, lineage: lineage!, replay: replay!, restored },
      pulse,
      ports: this.ports[slot]!,
    };
    const worker = new Worker(new URL('./slot-thread.js', import.meta.url), {
      workerData: spec,
      transferList: [...spec.ports.values()],
      name: `slot ${slot}`,
    });
    const created = new ThreadSlot({
      worker,
      slot,
      env,
      listener,
      pulse: new Pulse(pulse),
      stageName: (stage) => stageNames(plan, slot)[stage] ?? 'unknown',
    });
    this.slots.push(created);
    return created;
  }

  onIdle(): void {
    throw new MillraceError('ERR_INVARIANT', 'slots in threads do not tell when they are idle');
  }

  metrics(): readonly SlotMetrics[] {
    return [...this.slots.map((slot) => slot.metrics()), { operators: this.past, edges: {} }];
  }
}

/** What is counted; the rest says how things are, and ends with the attempt. */
function counts(operators: SlotMetrics['operators']): SlotMetrics['operators'] {
  const counted = (name: string): boolean => /^(num|accumulate)/.test(name);
  return Object.fromEntries(
    Object.entries(operators).map(([operator, values]) => [
      operator,
      Object.fromEntries(Object.entries(values).filter(([name]) => counted(name))),
    ]),
  );
}

/** A channel for each pair of slots: for each slot its ends, by the other slot. */
function portsBetween(slots: number): readonly ReadonlyMap<number, MessagePort>[] {
  const ports = Array.from({ length: slots }, () => new Map<number, MessagePort>());
  for (let a = 0; a < slots; a += 1) {
    for (let b = a + 1; b < slots; b += 1) {
      const { port1, port2 } = new MessageChannel();
      ports[a]!.set(b, port1);
      ports[b]!.set(a, port2);
    }
  }
  return ports;
}
