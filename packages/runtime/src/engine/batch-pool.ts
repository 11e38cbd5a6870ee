import { RecordBatch } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';

/** Columns that the batches of an output have beside values and timestamps. */
export interface BatchShape {
  readonly keys: boolean;
  readonly columns: readonly ('number' | 'any')[];
}

const noValues: unknown[] = [];

export const plainShape: BatchShape = { keys: false, columns: [] };

/** A batch that knows where it goes when its last receiver lets go of it. */
export class PooledBatch extends RecordBatch {
  readonly pool: BatchPool;
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

  release(): void {
    this.holders -= 1;
    if (this.holders === 0) this.pool.give(this);
  }

  /** Makes it empty, with arrays of its own. */
  reset(): void {
    this.count = 0;
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
    batch.values = new Array(batch.capacity);
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
