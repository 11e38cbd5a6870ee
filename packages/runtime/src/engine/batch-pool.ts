import { RecordBatch } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';

/** Columns that the batches of an output have beside values and timestamps. */
export interface BatchShape {
  readonly keys: boolean;
  readonly columns: readonly ('number' | 'any')[];
}

export const plainShape: BatchShape = { keys: false, columns: [] };

/** A batch that knows where it goes when its last receiver lets go of it. */
export class PooledBatch extends RecordBatch {
  readonly pool: BatchPool;

  constructor(pool: BatchPool, { keys, columns }: BatchShape) {
    super();
    this.pool = pool;
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
}

/** Batches of one output, used again and again. */
export class BatchPool {
  private readonly free: PooledBatch[] = [];
  private readonly shape: BatchShape;

  constructor(shape: BatchShape) {
    this.shape = shape;
  }

  take(): PooledBatch {
    return this.free.pop() ?? new PooledBatch(this, this.shape);
  }

  give(batch: PooledBatch): void {
    // One that grew beyond the usual size is left to the garbage collector.
    const usual = this.free.length < runtimeLimits.pooledBatchesMax;
    if (!usual || batch.capacity > runtimeLimits.pooledCapacityMax) return;
    batch.count = 0;
    batch.kinds = undefined;
    this.free.push(batch);
  }
}
