import { RecordBatch } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { BatchShape } from '../plan/batch-shape.js';
import { type Places, RowPlaces, type RowsPerRecord } from './record-places.js';

/** Of all batches without records; frozen, so that who writes one into it fails. */
const noValues = Object.freeze([]) as unknown as unknown[];

/** A batch that knows where it goes when its last receiver lets go of it. */
export class PooledBatch extends RecordBatch {
  readonly pool: BatchPool;
  /** Where its rows come from, for errors; undefined while nothing is known of any. */
  places: RowPlaces | undefined = undefined;
  /** Rows that were traced, or left out. */
  private traced = 0;
  private readonly ownTimestamps: Float64Array;

  constructor(pool: BatchPool, { keys, columns }: BatchShape) {
    super();
    this.pool = pool;
    this.ownTimestamps = this.timestamps;
    if (keys) this.keys = new Array(this.capacity).fill(undefined);
    this.columns = columns.map((type) =>
      type === 'number'
        ? new Float64Array(this.capacity)
        : new Array(this.capacity).fill(undefined),
    );
  }

  /**
   * The rows written since the last call came of the records `from … to` of `of`; of nothing that
   * is known where that is undefined.
   */
  trace(of: Places | undefined, from: number, to: number, rowsPerRecord: RowsPerRecord): void {
    const { traced: row, count } = this;
    this.traced = count;
    if (of === undefined || count <= row) return;
    this.places ??= new RowPlaces();
    this.places.add({ row, rows: count - row, of, from, to, rowsPerRecord });
  }

  release(): void {
    this.holders -= 1;
    if (this.holders === 0) this.pool.give(this);
  }

  /** Makes it empty, with arrays of its own. */
  reset(): void {
    this.count = 0;
    this.places = undefined;
    this.traced = 0;
    this.kinds = undefined;
    this.values = noValues;
    this.timestamps = this.ownTimestamps;
  }
}

/**
 * Batches of one output, used again and again, but for their values: those are young objects, and
 * writing them into an old array costs a note to the garbage collector each. A fresh array for each
 * batch makes `filter → map` a third faster.
 */
export class BatchPool {
  private readonly free: PooledBatch[] = [];
  private readonly shape: BatchShape;

  constructor(shape: BatchShape) {
    this.shape = shape;
  }

  take(): PooledBatch {
    const batch = this.free.pop();
    if (batch === undefined) return new PooledBatch(this, this.shape);
    if (this.shape.values) batch.values = new Array(batch.capacity);
    return batch;
  }

  give(batch: PooledBatch): void {
    // One that grew beyond the usual size is left to the garbage collector.
    const usual = this.free.length < runtimeLimits.pooledBatchesMax;
    if (!usual || batch.capacity > runtimeLimits.pooledCapacityMax) return;
    batch.reset();
    this.free.push(batch);
  }
}
