import { MillraceError } from '@millrace/core';
import type { Source, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { assertWhole, refuseOption } from '../option-checks.js';
import { fixedEnumerator, numberedSplits } from '../reading/fixed-enumerator.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';

/** How `fromArray` reads. */
export interface FromArrayOptions {
  /** Splits that the records are dealt out to in turn: record `i` to split `i % splits`. */
  readonly splits?: number | undefined;
}

/**
 * A source of records that are at hand, for tests and examples; replays exactly.
 *
 * The array is not copied: it must not change while a job reads it, nor be another one after a
 * restart; a shorter one is then refused as ERR_SOURCE_CHANGED. Throws ERR_INVALID_OPTION when
 * `splits` is no whole number from 1 on.
 *
 * @example
 * job.source('payments', fromArray([{ card: 'a', amount: 5 }, { card: 'b', amount: 7 }]))
 */
export function fromArray<T>(records: readonly T[], options: FromArrayOptions = {}): Source<T> {
  const splits = options.splits ?? 1;
  assertWhole('splits', splits, 1);
  if (splits > connectorLimits.splitsMax) {
    refuseOption('splits', `at most ${connectorLimits.splitsMax} splits are possible`);
  }
  return {
    type: 'array',
    replay: 'exact',
    bounded: true,
    settings: { records: records.length, splits },
    createEnumerator: (_context, snapshot) =>
      fixedEnumerator(async () => numberedSplits(splits), snapshot),
    createReader: () => new SplitQueueReader((split) => new ArrayCursor(records, split, splits)),
  };
}

/** Position: the index in the whole array of the next record of this split. */
class ArrayCursor<T> implements SplitCursor<T> {
  readonly isReady = true;
  private readonly records: readonly T[];
  private readonly split: string;
  private readonly step: number;
  private next: number;

  constructor(records: readonly T[], split: Split, step: number) {
    this.records = records;
    this.split = split.id;
    this.step = step;
    this.next = typeof split.position === 'number' ? split.position : Number(split.id);
    if (split.position === undefined || this.next - step < records.length) return;
    const detail = `record ${this.next - step} was read, but there are only ${records.length}`;
    throw new MillraceError('ERR_SOURCE_CHANGED', detail);
  }

  poll(max: number) {
    const { records, step, next: first } = this;
    const values: T[] = [];
    let index = first;
    for (; index < records.length && values.length < max; index += step) {
      values.push(records[index] as T);
    }
    this.next = index;
    return {
      split: this.split,
      values,
      start: 0,
      count: values.length,
      positionOf: (at: number) => String(first + at * step),
      splitEnded: index >= records.length,
    };
  }

  position(): number {
    return this.next;
  }
}
