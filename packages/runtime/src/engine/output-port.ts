import { MillraceError } from '@millrace/core';
import { checkRecord, coreLimits, toMillraceError } from '@millrace/core/internal';
import type { ControlElement } from '@millrace/core/spi';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import { BatchPool, type BatchShape, type PooledBatch } from './batch-pool.js';
import type { Channel } from './channel.js';

/** Side outputs with counters of their own: what goes there has not gone on. */
const countedElsewhere: readonly string[] = ['deadLetters', 'late'];

/** One output of a stage: its open batch, and the channels it goes to. */
export class OutputPort {
  readonly channels: readonly Channel[];
  open: PooledBatch;
  private readonly pool: BatchPool;
  private readonly metrics: OperatorMetrics;
  private readonly countsOut: boolean;
  /** Records that are still to be checked; see `checkedRecordsPerEdge`. */
  private checksLeft: number;

  constructor(
    channels: readonly Channel[],
    shape: BatchShape,
    metrics: OperatorMetrics,
    checkRecords: 'on' | 'off',
    port: string,
  ) {
    this.countsOut = !countedElsewhere.includes(port);
    this.channels = channels;
    this.pool = new BatchPool(shape);
    this.open = this.pool.take();
    this.metrics = metrics;
    this.checksLeft = checkRecords === 'on' ? coreLimits.checkedRecordsPerEdge : 0;
  }

  get hasCredit(): boolean {
    for (const channel of this.channels) if (!channel.hasCredit) return false;
    return true;
  }

  get isFull(): boolean {
    return this.open.count >= coreLimits.batchRecordsMax;
  }

  /** Hands the open batch on, if there is anything in it. */
  flush(): boolean {
    const batch = this.open;
    if (batch.count === 0) return false;
    if (this.checksLeft > 0) this.check(batch);
    if (this.countsOut) this.metrics.numRecordsOut += batch.count;
    batch.holders = this.channels.length;
    for (const channel of this.channels) channel.send(batch);
    this.open = this.pool.take();
    return true;
  }

  /** Sends a control element behind everything written so far. */
  sendControl(element: ControlElement): void {
    this.flush();
    for (const channel of this.channels) channel.sendControl(element);
  }

  private check(batch: PooledBatch): void {
    const count = Math.min(batch.count, this.checksLeft);
    this.checksLeft -= count;
    for (let i = 0; i < count; i += 1) {
      const value = batch.values[i];
      // A projected batch has no records in it.
      if (value !== undefined) this.checkValue(value);
    }
  }

  private checkValue(value: unknown): void {
    const { operator } = this.metrics;
    if (value instanceof Promise) {
      throw new MillraceError('ERR_FUNCTION_RETURNED_PROMISE', 'a record is a promise', {
        operator,
      });
    }
    try {
      checkRecord(value);
    } catch (error) {
      throw toMillraceError(error, 'ERR_UNSERIALISABLE_VALUE', { operator });
    }
  }
}
