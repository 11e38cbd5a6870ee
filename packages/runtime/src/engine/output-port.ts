import { coreLimits } from '@millrace/core/internal';
import type { ControlElement } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { StageOutput } from '../plan/stage-plan.js';
import { BatchPool, type PooledBatch } from './batch-pool.js';
import { checkOnEdge } from './checked-record.js';
import type { Route } from './route.js';

/** Side outputs with counters of their own: what goes there has not gone on. */
const countedElsewhere: readonly string[] = ['deadLetters', 'late'];

/** One output of a stage: its open batch, and where it goes. */
export class OutputPort {
  private readonly routes: readonly Route[];
  open: PooledBatch;
  private readonly pool: BatchPool;
  private readonly metrics: OperatorMetrics;
  private readonly countsOut: boolean;
  /** Records that are still to be checked; see `checkedRecordsPerEdge`. */
  private checksLeft: number;
  private waitsSinceMs: number | undefined;

  constructor(
    routes: readonly Route[],
    metrics: OperatorMetrics,
    checkRecords: 'on' | 'off',
    { port, relayed, shape }: Pick<StageOutput, 'port' | 'relayed' | 'shape'>,
  ) {
    this.countsOut = !relayed && !countedElsewhere.includes(port);
    this.routes = routes;
    this.pool = new BatchPool(shape);
    this.open = this.pool.take();
    this.metrics = metrics;
    this.checksLeft = checkRecords === 'on' ? coreLimits.checkedRecordsPerEdge : 0;
  }

  get hasCredit(): boolean {
    for (const route of this.routes) if (!route.hasCredit) return false;
    return true;
  }

  get canOverdraw(): boolean {
    for (const { channels } of this.routes) {
      for (const channel of channels) if (!channel.canOverdraw) return false;
    }
    return true;
  }

  get isFull(): boolean {
    return this.open.count >= coreLimits.batchRecordsMax;
  }

  /** Hands on all that waits for more records; true when there was something. */
  flush(): boolean {
    let flushed = this.handOn();
    for (const route of this.routes) if (route.flush?.() === true) flushed = true;
    return flushed;
  }

  /** Hands on what has waited for long enough; called now and then. */
  linger(nowMs: number): void {
    if (this.open.count === 0) this.waitsSinceMs = undefined;
    else if (this.waitsSinceMs === undefined) this.waitsSinceMs = nowMs;
    else if (nowMs - this.waitsSinceMs >= runtimeLimits.lingerMs && this.hasCredit) this.handOn();
    for (const route of this.routes) route.linger?.(nowMs);
  }

  /** Hands the open batch on, if there is anything in it. */
  handOn(): boolean {
    const batch = this.open;
    if (batch.count === 0) return false;
    this.waitsSinceMs = undefined;
    if (this.checksLeft > 0) this.check(batch);
    if (this.countsOut) this.metrics.numRecordsOut += batch.count;
    batch.holders = this.routes.length;
    for (const route of this.routes) route.send(batch);
    this.open = this.pool.take();
    return true;
  }

  /** Sends a control element behind everything written so far. */
  sendControl(element: ControlElement): void {
    this.handOn();
    for (const route of this.routes) route.sendControl(element);
  }

  private check(batch: PooledBatch): void {
    const count = Math.min(batch.count, this.checksLeft);
    this.checksLeft -= count;
    for (let i = 0; i < count; i += 1) {
      const value = batch.values[i];
      if (value instanceof Promise) leavePromises(batch);
      // A projected batch has no records in it.
      if (value !== undefined) checkOnEdge(value, this.metrics.operator);
    }
  }
}

/** Of all that a batch has: one that is rejected would end the process ahead of the job. */
function leavePromises({ values, count }: PooledBatch): void {
  for (const value of values.slice(0, count)) {
    if (value instanceof Promise) value.catch(() => undefined);
  }
}
