import { type Key, MillraceError } from '@millrace/core';
import { type KeyGroupRange, keyGroupOf } from '@millrace/core/internal';
import type {
  KeyedStateAccess,
  KeyGroupTimes,
  KeyTable,
  KeyTableSpec,
  KeyTables,
  StateBackend,
  StateDescriptor,
  StateTableSpec,
} from '@millrace/core/spi';
import type { BlockSink } from './block-builder.js';
import type { OperatorTime } from './expiry.js';
import type { StepResult } from './group-order.js';
import { HeapKeyGroupTimes } from './heap-key-group-times.js';
import { HeapKeyTable } from './heap-key-table.js';
import { HeapKeyTables } from './heap-key-tables.js';
import { HeapKeyedState } from './heap-keyed-state.js';
import type { Block, StateLayout } from './segment/block.js';
import type { StatePart } from './state-part.js';

export interface HeapBackendOptions {
  /** `tracked`: snapshots can be taken. Default `untracked`. */
  readonly tracking?: 'tracked' | 'untracked' | undefined;
  /** Key groups of the job. */
  readonly groupCount: number;
  /** Key groups of this subtask. */
  readonly groups: KeyGroupRange;
}

/** Keeps state in this process' memory. */
export class HeapBackend implements StateBackend {
  readonly tracksChanges: boolean;
  private readonly tracking: 'tracked' | 'untracked';
  private readonly groupCount: number;
  private readonly groups: KeyGroupRange;
  private readonly parts = new Map<string, StatePart[]>();
  private readonly keyed = new Map<string, HeapKeyedState>();
  /** Parts that were frozen and are not written yet, in the order of their barriers. */
  private frozen: StatePart[] = [];

  constructor({ tracking = 'untracked', groupCount, groups }: HeapBackendOptions) {
    this.tracking = tracking;
    this.tracksChanges = tracking === 'tracked';
    this.groupCount = groupCount;
    this.groups = groups;
  }

  keyedState(
    operator: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
    time: OperatorTime,
  ): KeyedStateAccess {
    const { tracking, groupCount } = this;
    const groupOf = (key: Key): number => keyGroupOf(key, groupCount);
    const parts = { operator, descriptors, time, tracking, groupCount, groupOf };
    const state = new HeapKeyedState(parts);
    this.keyed.set(operator, state);
    return state;
  }

  keyTables(operator: string, state: string, spec: StateTableSpec): KeyTables {
    const { tracking, groupCount } = this;
    const groupOf = (key: Key): number => keyGroupOf(key, groupCount);
    const parts = { operator, state, spec, tracking, groupCount, groupOf };
    return this.add(operator, new HeapKeyTables(parts));
  }

  keyGroupTimes(operator: string, state: string): KeyGroupTimes {
    const groupOf = (key: Key): number => keyGroupOf(key, this.groupCount);
    return this.add(operator, new HeapKeyGroupTimes(operator, state, this.groups, groupOf));
  }

  scratchTable(spec: KeyTableSpec): KeyTable {
    return new HeapKeyTable(spec);
  }

  /** All states, for the check ahead of a restore. */
  states(): readonly { readonly layout: StateLayout; readonly migrates: boolean }[] {
    return this.allParts().map(({ layout, migrates }) => ({ layout, migrates }));
  }

  /** Estimate of the memory in use, by operator. */
  bytesOf(operator: string): number {
    const parts = this.partsOf(operator).reduce((sum, { bytes }) => sum + bytes, 0);
    return parts + (this.keyed.get(operator)?.bytes ?? 0);
  }

  operators(): readonly string[] {
    return [...new Set([...this.parts.keys(), ...this.keyed.keys()])];
  }

  /** What the operator's state is now belongs to the snapshot. */
  freeze(operator: string): void {
    for (const part of this.partsOf(operator)) {
      part.freeze();
      this.frozen.push(part);
    }
  }

  /** Writes about `rowsMax` rows of what was frozen. */
  step(sink: BlockSink, rowsMax: number): StepResult {
    const [part] = this.frozen;
    if (part === undefined) return 'done';
    if (part.step(sink, rowsMax) === 'done') this.frozen.shift();
    return this.frozen.length > 0 ? 'more' : 'done';
  }

  /**
   * The snapshot in progress, or the last one, is lost: the next one takes everything that was to
   * be in it.
   */
  abandon(): void {
    this.frozen = [];
    for (const part of this.allParts()) part.abandon();
  }

  /** Applies a block of a snapshot, in the order of the chain. */
  load(layout: StateLayout, block: Block): void {
    const part = this.partsOf(layout.operator).find(
      (candidate) => candidate.layout.state === layout.state,
    );
    if (part === undefined) {
      const detail = `state ${layout.state} of ${layout.operator} is not declared`;
      throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail, { operator: layout.operator });
    }
    part.load({ ...block, version: layout.version });
  }

  private add<P extends StatePart>(operator: string, part: P): P {
    const parts = this.parts.get(operator);
    if (parts === undefined) this.parts.set(operator, [part]);
    else parts.push(part);
    return part;
  }

  private partsOf(operator: string): readonly StatePart[] {
    return [...(this.parts.get(operator) ?? []), ...(this.keyed.get(operator)?.columns ?? [])];
  }

  private allParts(): readonly StatePart[] {
    return this.operators().flatMap((operator) => this.partsOf(operator));
  }
}
