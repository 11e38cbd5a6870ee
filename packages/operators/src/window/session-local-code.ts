import { coreLimits } from '@millrace/core/internal';
import {
  type Key,
  type KeyTable,
  type Operator,
  type Outputs,
  RecordFailure,
  type RecordLoop,
} from '@millrace/core/spi';
import type { Fold } from './fold.js';
import { addStatements, closureOf } from './fold-code.js';
import { addCells, addedCells } from './fold-plain.js';
import { appendCells, openRows, passStatements } from './partial-output.js';
import { columnsAhead, type PartialLayout } from './partial-rows.js';

/** Numbers of a partial session's row ahead of its accumulators. */
export const localSessionCells = { first: 0, records: 1, last: 2 } as const;

/** What the loop of the local phase of sessions needs of its operator. */
export interface LocalSessions {
  readonly gapMs: number;
  readonly table: KeyTable;
  /** The subtask's own: what begins ahead of it is not held back. */
  readonly watermark: number;
  /** Records pass as rows of their own. */
  readonly passes: boolean;
  /** Goes on giving out rows; false when some are left and the output is full. */
  begin(out: Outputs): boolean;
  /** Whether the key has a row that a record of this timestamp goes on with. */
  touches(key: Key, timestamp: number): boolean;
  /** Gives out one row, and forgets it. */
  give(slot: number, out: Outputs): void;
  /** A record has made a row: true when rows are to be given out first. */
  madeRow(timestamp: number): boolean;
  /** A record was added where accumulators may grow: true as above. */
  addedRecord(): boolean;
  /** A record has passed: true when aggregation is to be tried again. */
  passed(): boolean;
}

const { first, records, last } = localSessionCells;

/**
 * A record gives out one row at the most: its key's row where it is not within the gap of that, or its
 * own where it is behind the watermark.
 *
 * @param fold with the numbers of `localSessionCells` ahead of its own
 */
export function sessionLocalLoop(
  fold: Fold,
  layout: PartialLayout,
  target: LocalSessions,
): RecordLoop {
  const { names, values } = closureOf(fold);
  const mayGrow = fold.row.refs.length > 0 ? ' || target.addedRecord()' : '';
  const rowsMax = coreLimits.batchRecordsMax;
  return {
    names: [...names, 'target'],
    values: [...values, target],
    before: `if (!target.begin(out)) return from;
const gap = target.gapMs, table = target.table, watermark = target.watermark;
const passes = target.passes;
${openRows(layout)}`,
    record: `if (passes || (t < watermark && !target.touches(key, t))) {
  ${passStatements(layout)}
  if (target.passed() || o + 1 >= ${rowsMax}) { i += 1; break; }
  continue;
}
let found = table.find(key);
if (found >= 0) {
  const cells = table.numbers, row = found * ${fold.row.numbers.length};
  if (t < cells[row + ${first}] - gap || t > cells[row + ${last}] + gap) {
    target.give(found, out);
    found = -1;
  }
}
${addStatements(fold, 'maybe', 'untracked')}
d[p + ${records}] += 1;
if (t < d[p + ${first}]) d[p + ${first}] = t;
if (t > d[p + ${last}]) d[p + ${last}] = t;
if (t < watermark) target.give(slot, out);
if ((found < 0 && target.madeRow(t)) || rows.count >= ${rowsMax}${mayGrow}) { i += 1; break; }`,
  };
}

/** The same without generated code. */
export function plainSessionLocalLoop(
  fold: Fold,
  layout: PartialLayout,
  target: LocalSessions,
  operatorId: string,
): Operator['processBatch'] {
  const mayGrow = fold.row.refs.length > 0;
  const pass = (key: Key, inputs: readonly unknown[], t: number, out: Outputs): boolean => {
    const cells = addedCells(fold, target.table, -1, inputs);
    cells.n = fold.row.numbers.length - layout.fold.row.numbers.length - columnsAhead(layout);
    cells.numbers[records] = 1;
    cells.numbers[last] = t;
    appendCells(layout, cells, key, t, out.main);
    return target.passed();
  };
  const take = (key: Key, inputs: readonly unknown[], t: number, out: Outputs): boolean => {
    const { table, watermark } = target;
    const touches = target.touches(key, t);
    if (target.passes || (t < watermark && !touches)) return pass(key, inputs, t, out);
    const found = table.find(key);
    if (found >= 0 && !touches) target.give(found, out);
    addCells(fold, table, key, inputs);
    const slot = table.find(key);
    const row = slot * table.numberStride;
    const cells = table.numbers;
    cells[row + records]! += 1;
    cells[row + first] = Math.min(cells[row + first]!, t);
    cells[row + last] = Math.max(cells[row + last]!, t);
    if (t < watermark) target.give(slot, out);
    return (!touches && target.madeRow(t)) || (mayGrow && target.addedRecord());
  };
  return (batch, from, out) => {
    if (!target.begin(out)) return from;
    let i = from;
    try {
      for (; i < batch.count && !out.isFull(); i += 1) {
        const inputs = batch.columns.map((column) => column[i]);
        if (take(batch.keys![i]!, inputs, batch.timestamps[i]!, out)) return i + 1;
      }
    } catch (error) {
      throw new RecordFailure(i, operatorId, error);
    }
    return i;
  };
}
