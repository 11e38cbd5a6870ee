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
import type { BlockSink } from '../block-builder.js';
import type { OperatorTime } from '../expiry.js';
import type { StepResult } from '../group-order.js';
import { HeapBackend } from '../heap-backend.js';
import { stateLimits } from '../limits.js';
import type { Block, StateLayout } from '../segment/block.js';
import type { SnapshotStateBackend, StateBackendOptions } from '../snapshot-state-backend.js';
import type { LoadedFrom } from '../state-part.js';
import { LevelKeyTables } from './level-key-tables.js';
import { OperatorReads } from './operator-reads.js';
import { OutsideRows } from './outside-rows.js';
import { RowMover } from './row-mover.js';
import type { SpillStore } from './spill-store.js';

export interface LevelBackendOptions extends StateBackendOptions {
  /** Where rows go; opened and closed with the backend. */
  readonly store: SpillStore;
  /** Bytes that rows of tables may take in memory, about. */
  readonly memoryBytesMax: number;
  /** Rows that a firing window has in memory at a time of those outside. Default 512. */
  readonly pageRowsMax?: number | undefined;
}

/** What a backend says of its rows outside memory. */
export interface SpillCounts {
  /** Rows that are outside and not in memory. */
  readonly rowsOutside: number;
  /** Estimate of what the rows in memory take. */
  readonly bytes: number;
  /** Reads so far that blocked the thread. */
  readonly syncReads: number;
  /** Rows read ahead of their batch so far. */
  readonly prefetchedRows: number;
  /** Rows written to the store so far. */
  readonly writtenRows: number;
}

/**
 * State larger than memory: the heap's tables, whose cold rows are moved to a store and come back
 * when their keys do. The state of process functions and timers stays in memory.
 *
 * Beyond what {@link SnapshotStateBackend} says: `open` is called ahead of everything else, and
 * `close` at the end. `relieve` is called between batches, and after each `load`. While a prefetch is
 * open, and until its operator uses what was loaded, no rows of that operator are moved out, unless
 * there are many too many.
 */
export class LevelBackend implements SnapshotStateBackend {
  readonly tracksChanges = true;
  private readonly heap: HeapBackend;
  private readonly mover: RowMover;
  private readonly store: SpillStore;
  private readonly reads = new Map<string, OperatorReads>();

  constructor(options: LevelBackendOptions) {
    const { store, memoryBytesMax } = options;
    const { tracking = 'untracked', pageRowsMax = stateLimits.spillPageRows } = options;
    this.store = store;
    const mover = new RowMover({ store, memoryBytesMax, pageRowsMax, tracking });
    this.mover = mover;
    this.heap = new HeapBackend(options, (table, operator) => {
      return new OutsideRows(table, mover, this.readsOf(operator));
    });
  }

  open(): Promise<void> {
    return this.store.open();
  }

  async close(): Promise<void> {
    await this.mover.close();
    await this.store.close();
  }

  /** Rejects or throws when the store has failed: ERR_STORAGE_FAILED. */
  relieve(): Promise<void> | undefined {
    return this.mover.relieve();
  }

  get needsBarrier(): boolean {
    return this.mover.needsBarrier;
  }

  syncReads(operator: string): number {
    return this.reads.get(operator)?.sync ?? 0;
  }

  get counts(): SpillCounts {
    const { rowsOutside, bytes, prefetchedRows, writtenRows } = this.mover;
    const syncReads = [...this.reads.values()].reduce((sum, reads) => sum + reads.sync, 0);
    return { rowsOutside, bytes, syncReads, prefetchedRows, writtenRows };
  }

  keyedState(
    operator: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
    time: OperatorTime,
  ): KeyedStateAccess {
    return this.heap.keyedState(operator, descriptors, time);
  }

  operatorState(
    operator: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
  ): OperatorStateAccess {
    return this.heap.operatorState(operator, descriptors);
  }

  keyTables(operator: string, state: string, spec: StateTableSpec): KeyTables {
    return new LevelKeyTables(this.heap.keyTables(operator, state, spec), spec);
  }

  keyGroupTimes(operator: string, state: string): KeyGroupTimes {
    return this.heap.keyGroupTimes(operator, state);
  }

  scratchTable(spec: KeyTableSpec): KeyTable {
    return this.heap.scratchTable(spec);
  }

  states(): ReturnType<HeapBackend['states']> {
    return this.heap.states();
  }

  bytesOf(operator: string): number {
    return this.heap.bytesOf(operator);
  }

  operators(): readonly string[] {
    return this.heap.operators();
  }

  /**
   * @throws MillraceError `ERR_STORAGE_FAILED` once the store has failed: a record whose row could
   * not be read may have been skipped, and no snapshot must say that it was processed
   */
  freeze(operator: string): void {
    this.mover.assertWorking();
    this.heap.freeze(operator);
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    return this.heap.step(sink, rowsMax);
  }

  /**
   * As the heap does, but that the next snapshot takes again what the lost one had where rows are
   * outside. So a restore that is not followed moves no rows outside ahead of its first snapshot.
   */
  abandon(): void {
    this.heap.abandon();
  }

  load(layout: StateLayout, block: Block, from?: LoadedFrom): void {
    this.heap.load(layout, block, from);
  }

  private readsOf(operator: string): OperatorReads {
    let reads = this.reads.get(operator);
    if (reads === undefined) {
      reads = new OperatorReads();
      this.reads.set(operator, reads);
    }
    return reads;
  }
}
