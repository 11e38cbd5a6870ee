import { type Key, MillraceError } from '@millrace/core';
import { type KeyGroupRange, keyGroupOf, toMillraceError } from '@millrace/core/internal';
import type {
  KeyedStateAccess,
  KeyGroupTimes,
  KeyTable,
  KeyTableSpec,
  KeyTables,
  OperatorStateAccess,
  StateDescriptor,
  StateTableSpec,
} from '@millrace/core/spi';
import type { BlockSink } from './block-builder.js';
import { CallScope } from './call-scope.js';
import type { OperatorTime } from './expiry.js';
import type { StepResult } from './group-order.js';
import { HeapBroadcast } from './heap-broadcast.js';
import { HeapKeyGroupTimes } from './heap-key-group-times.js';
import { HeapKeyTable } from './heap-key-table.js';
import { HeapKeyTables } from './heap-key-tables.js';
import { HeapKeyedState } from './heap-keyed-state.js';
import { HeapOperatorList } from './heap-operator-list.js';
import type { RowsOutside } from './rows-outside.js';
import type { Block, StateLayout } from './segment/block.js';
import type { SnapshotStateBackend, StateBackendOptions } from './snapshot-state-backend.js';
import type { LoadedFrom, StatePart } from './state-part.js';
import { UndoLog } from './undo-log.js';

/** Where rows of an operator's table go that are moved out of memory. */
type OutsideOf = (table: HeapKeyTable, operator: string) => RowsOutside;

/** Keeps state in this process' memory. */
export class HeapBackend implements SnapshotStateBackend {
  readonly tracksChanges: boolean;
  private readonly tracking: 'tracked' | 'untracked';
  private readonly groupCount: number;
  private readonly groups: KeyGroupRange;
  private readonly groupOf: (key: Key) => number;
  private readonly outside: OutsideOf | undefined;
  private readonly parts = new Map<string, StatePart[]>();
  private readonly keyed = new Map<string, HeapKeyedState>();
  /** Parts that were frozen and are not written yet, in the order of their barriers. */
  private frozen: StatePart[] = [];

  /** @param outside where rows of tables go that are moved out of memory */
  constructor(
    { tracking = 'untracked', groupCount, groups }: StateBackendOptions,
    outside?: OutsideOf,
  ) {
    this.tracking = tracking;
    this.tracksChanges = tracking === 'tracked';
    this.groupCount = groupCount;
    this.groups = groups;
    this.groupOf = (key) => keyGroupOf(key, groupCount);
    this.outside = outside;
  }

  keyedState(
    operator: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
    time: OperatorTime,
  ): KeyedStateAccess {
    const { tracking, groupCount, groupOf } = this;
    const parts = { operator, descriptors, time, tracking, groupCount, groupOf };
    const state = new HeapKeyedState(parts);
    this.keyed.set(operator, state);
    return state;
  }

  operatorState(
    operator: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
  ): OperatorStateAccess {
    const { tracking, groups } = this;
    const undo = new UndoLog();
    const scope = new CallScope(operator);
    const handles = Object.fromEntries(
      Object.entries(descriptors).map(([state, descriptor]) => {
        const parts = { operator, state, descriptor, groups, tracking, undo, scope };
        const isBroadcast = descriptor.kind === 'broadcast';
        const part = isBroadcast ? new HeapBroadcast(parts) : new HeapOperatorList(parts);
        return [state, this.add<StatePart>(operator, part)];
      }),
    );
    return {
      handles,
      enter: () => {
        scope.isOpen = true;
      },
      leave: () => {
        scope.isOpen = false;
      },
      begin: () => undo.begin(),
      rollback: () => undo.rollback(),
    };
  }

  keyTables(operator: string, state: string, spec: StateTableSpec): KeyTables {
    const { tracking, groupCount, groupOf, outside } = this;
    const parts = { operator, state, spec, tracking, groupCount, groupOf };
    const own = outside && ((table: HeapKeyTable) => outside(table, operator));
    return this.add(operator, new HeapKeyTables({ ...parts, outside: own }));
  }

  keyGroupTimes(operator: string, state: string): KeyGroupTimes {
    return this.add(operator, new HeapKeyGroupTimes(operator, state, this.groups, this.groupOf));
  }

  scratchTable(spec: KeyTableSpec): KeyTable {
    return new HeapKeyTable(spec);
  }

  states(): readonly Pick<StatePart, 'layout' | 'migrates' | 'stamps'>[] {
    return this.allParts();
  }

  bytesOf(operator: string): number {
    const parts = this.partsOf(operator).reduce((sum, { bytes }) => sum + bytes, 0);
    return parts + (this.keyed.get(operator)?.bytes ?? 0);
  }

  operators(): readonly string[] {
    return [...new Set([...this.parts.keys(), ...this.keyed.keys()])];
  }

  freeze(operator: string): void {
    for (const part of this.partsOf(operator)) {
      if (this.frozen.includes(part)) {
        const detail = `${part.layout.state} is frozen while its last snapshot is being written`;
        throw new MillraceError('ERR_INVARIANT', detail, { operator });
      }
      part.freeze();
      this.frozen.push(part);
    }
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    const [part] = this.frozen;
    if (part === undefined) return 'done';
    try {
      if (part.step(sink, rowsMax) === 'done') this.frozen.shift();
    } catch (error) {
      throw unwritable(error, part.layout);
    }
    return this.frozen.length > 0 ? 'more' : 'done';
  }

  abandon(): void {
    this.frozen = [];
    for (const part of this.allParts()) part.abandon();
  }

  load(layout: StateLayout, block: Block, from: LoadedFrom = {}): void {
    const part = this.partsOf(layout.operator).find(
      (candidate) => candidate.layout.state === layout.state,
    );
    if (part === undefined) {
      const detail = `state ${layout.state} of ${layout.operator} is not declared`;
      throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail, { operator: layout.operator });
    }
    try {
      part.load({ ...block, ...from, version: layout.version });
    } catch (error) {
      const { operator, state } = layout;
      throw toMillraceError(error, 'ERR_INVARIANT', { operator, field: state });
    }
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

/** Says whose value it is that no snapshot can have; any other error stays as it is. */
function unwritable(error: unknown, { operator, state }: StateLayout): unknown {
  if (!(error instanceof MillraceError) || error.code !== 'ERR_UNSERIALISABLE_VALUE') return error;
  const detail = `in state ${state}: ${error.detail}`;
  return new MillraceError(error.code, detail, { operator, field: error.field, cause: error });
}
