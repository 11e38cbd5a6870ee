import { MillraceError } from '@millrace/core';
import { keyGroupOf, subtaskOf, toMillraceError } from '@millrace/core/internal';
import type { Column, ControlElement, RecordBatch } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { BatchShape } from '../plan/batch-shape.js';
import { groupCount } from '../plan/physical-plan.js';
import { BatchPool, type PooledBatch } from './batch-pool.js';
import type { ChannelSender } from './channel.js';
import type { Route } from './route.js';

/** Says which subtask each record of a batch goes to: fills `targets` up to the batch's count. */
export type Assign = (batch: RecordBatch, targets: Uint16Array) => void;

/** By key group: a loop has extracted the keys ahead of the edge. */
export function assignByKey(parallelism: number): Assign {
  const subtasks = new Uint16Array(groupCount);
  for (let group = 0; group < groupCount; group += 1) {
    subtasks[group] = subtaskOf(group, parallelism, groupCount);
  }
  return ({ keys, count }, targets) => {
    for (let i = 0; i < count; i += 1) targets[i] = subtasks[keyGroupOf(keys![i]!, groupCount)]!;
  };
}

/**
 * By the author's partitioner.
 *
 * @throws MillraceError `ERR_FUNCTION_THREW` when it throws, or names no subtask
 */
export function assignByFunction(
  parallelism: number,
  partition: (record: never, parallelism: number) => number,
  operator: string,
): Assign {
  return ({ values, count }, targets) => {
    for (let i = 0; i < count; i += 1) {
      let at: number;
      try {
        at = partition(values[i] as never, parallelism);
      } catch (error) {
        throw toMillraceError(error, 'ERR_FUNCTION_THREW', { operator });
      }
      if (!(Number.isSafeInteger(at) && at >= 0 && at < parallelism)) {
        const detail = `the partitioner gave ${at}, not a subtask from 0 to ${parallelism - 1}`;
        throw new MillraceError('ERR_FUNCTION_THREW', detail, { operator });
      }
      targets[i] = at;
    }
  };
}

/** One subtask's share of what was given, waiting for more. */
interface Share {
  readonly channel: ChannelSender;
  readonly pool: BatchPool;
  open: PooledBatch;
  /** A watermark that comes behind the open batch; only the last one counts. */
  mark: ControlElement | undefined;
  /** Rows of the batch at hand that go there. */
  readonly rows: Uint32Array;
  count: number;
}

/**
 * Each record to the subtask that it is assigned to. Records gather in a batch for each subtask;
 * watermarks wait behind them, since small batches cost more than late ones.
 */
export class ScatterRoute implements Route {
  readonly channels: readonly ChannelSender[];
  private readonly shares: readonly Share[];
  private readonly assign: Assign;
  private readonly shape: BatchShape;
  private targets = new Uint16Array(runtimeLimits.pooledCapacityMax);
  private waitsSinceMs: number | undefined;

  constructor(channels: readonly ChannelSender[], shape: BatchShape, assign: Assign) {
    this.channels = channels;
    this.assign = assign;
    this.shape = shape;
    this.shares = channels.map((channel) => {
      const pool = new BatchPool(shape);
      const rows = new Uint32Array(runtimeLimits.pooledCapacityMax);
      return { channel, pool, open: pool.take(), mark: undefined, rows, count: 0 };
    });
  }

  /** Any subtask may get a record of the next batch. */
  get hasCredit(): boolean {
    for (const channel of this.channels) if (!channel.hasCredit) return false;
    return true;
  }

  send(batch: PooledBatch): void {
    const { count } = batch;
    if (this.targets.length < count) this.targets = new Uint16Array(count);
    this.assign(batch, this.targets);
    for (let from = 0; from < count; from += runtimeLimits.pooledCapacityMax) {
      this.scatter(batch, from, Math.min(count, from + runtimeLimits.pooledCapacityMax));
    }
    batch.release();
  }

  sendControl(element: ControlElement): void {
    // Idle makes no watermark ahead of it useless, and no more records are to be expected.
    const waits = element.kind === 'watermark';
    for (const share of this.shares) {
      if (waits && share.open.count > 0) share.mark = element;
      else {
        this.flushShare(share);
        share.channel.sendControl(element);
      }
    }
  }

  flush(): boolean {
    let flushed = false;
    for (const share of this.shares) if (this.flushShare(share)) flushed = true;
    this.waitsSinceMs = undefined;
    return flushed;
  }

  linger(nowMs: number): void {
    if (this.shares.every(({ open }) => open.count === 0)) this.waitsSinceMs = undefined;
    else if (this.waitsSinceMs === undefined) this.waitsSinceMs = nowMs;
    else if (nowMs - this.waitsSinceMs >= runtimeLimits.lingerMs) this.flush();
  }

  private scatter(batch: PooledBatch, from: number, to: number): void {
    const { targets, shares } = this;
    for (const share of shares) share.count = 0;
    for (let i = from; i < to; i += 1) {
      const share = shares[targets[i]!]!;
      share.rows[share.count] = i;
      share.count += 1;
    }
    for (const share of shares) this.append(share, batch);
  }

  private append(share: Share, batch: PooledBatch): void {
    let from = 0;
    while (from < share.count) {
      const { open } = share;
      const to = Math.min(share.count, from + open.capacity - open.count);
      copyRows(this.shape, batch, share.rows, from, to, open);
      open.trace(batch.places, 0, batch.count, 'any');
      from = to;
      if (open.count >= open.capacity) this.flushShare(share);
    }
  }

  private flushShare(share: Share): boolean {
    const { open, channel, mark } = share;
    if (open.count === 0) return false;
    open.holders = 1;
    channel.send(open);
    share.open = share.pool.take();
    share.mark = undefined;
    if (mark !== undefined) channel.sendControl(mark);
    return true;
  }
}

/** Appends the rows `rows[from … to]` of `batch` to `into`, column by column. */
function copyRows(
  { values, keys, columns }: BatchShape,
  batch: RecordBatch,
  rows: Uint32Array,
  from: number,
  to: number,
  into: RecordBatch,
): void {
  const at = into.count;
  gather(batch.timestamps, rows, from, to, into.timestamps, at);
  if (values) gather(batch.values, rows, from, to, into.values, at);
  if (keys) gather(batch.keys!, rows, from, to, into.keys!, at);
  for (let c = 0; c < columns.length; c += 1) {
    gather(batch.columns[c]!, rows, from, to, into.columns[c]!, at);
  }
  if (batch.kinds !== undefined) {
    into.kinds ??= new Uint8Array(into.capacity);
    for (let i = from; i < to; i += 1) into.kinds[at + i - from] = batch.kinds[rows[i]!]!;
  } else into.kinds?.fill(0, at, at + to - from);
  into.count = at + to - from;
}

function gather(
  source: Column | readonly unknown[],
  rows: Uint32Array,
  from: number,
  to: number,
  into: Column | unknown[],
  at: number,
): void {
  if (source instanceof Float64Array && into instanceof Float64Array) {
    for (let i = from; i < to; i += 1) into[at + i - from] = source[rows[i]!]!;
    return;
  }
  const [objects, target] = [source as readonly unknown[], into as unknown[]];
  for (let i = from; i < to; i += 1) target[at + i - from] = objects[rows[i]!];
}
