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
import type { PartialLayout } from './partial-rows.js';

/** What the loop of the local phase of aligned windows needs of its operator. */
export interface LocalTarget {
  /** The target is the same for `lo ≤ t < hi`. */
  lo: number;
  hi: number;
  table: KeyTable;
  /** Records pass as rows of their own. */
  passes: boolean;
  /** Goes on giving out rows; false when some are left and the output is full. */
  begin(out: Outputs): boolean;
  seek(timestamp: number): void;
  /** A record has made a row: true when rows are to be given out first. */
  madeRow(): boolean;
  /** A record was added where accumulators may grow: true as above. */
  addedRecord(): boolean;
  /** A record has passed: true when the target is another one now. */
  passed(): boolean;
}

/** @param fold with the number of records ahead of its numbers */
export function alignedLocalLoop(
  fold: Fold,
  layout: PartialLayout,
  target: LocalTarget,
): RecordLoop {
  const { names, values } = closureOf(fold);
  const mayGrow = fold.row.refs.length > 0 ? ' || target.addedRecord()' : '';
  return {
    names: [...names, 'target'],
    values: [...values, target],
    before: `if (!target.begin(out)) return from;
let lo = target.lo, hi = target.hi, table = target.table, passes = target.passes;
${openRows(layout)}`,
    record: `if (t < lo || t >= hi) {
  target.seek(t);
  lo = target.lo; hi = target.hi; table = target.table; passes = target.passes;
}
if (passes) {
  ${passStatements(layout)}
  if (target.passed() || o + 1 >= ${coreLimits.batchRecordsMax}) { i += 1; break; }
  continue;
}
${addStatements(fold, 'make', 'untracked')}
if (((d[p] += 1) === 1 && target.madeRow())${mayGrow}) { i += 1; break; }`,
  };
}

/** The same without generated code. */
export function plainAlignedLocalLoop(
  fold: Fold,
  layout: PartialLayout,
  target: LocalTarget,
  operatorId: string,
): Operator['processBatch'] {
  const mayGrow = fold.row.refs.length > 0;
  const take = (key: Key, inputs: readonly unknown[], t: number, out: Outputs): boolean => {
    const { table } = target;
    if (target.passes) {
      const cells = addedCells(fold, table, -1, inputs);
      cells.numbers[0] = 1;
      appendCells(layout, cells, key, t, out.main);
      return target.passed();
    }
    addCells(fold, table, key, inputs);
    const row = table.find(key) * table.numberStride;
    table.numbers[row]! += 1;
    return (table.numbers[row] === 1 && target.madeRow()) || (mayGrow && target.addedRecord());
  };
  return (batch, from, out) => {
    if (!target.begin(out)) return from;
    let i = from;
    try {
      for (; i < batch.count && !out.isFull(); i += 1) {
        const t = batch.timestamps[i]!;
        if (t < target.lo || t >= target.hi) target.seek(t);
        const inputs = batch.columns.map((column) => column[i]);
        if (take(batch.keys![i]!, inputs, t, out)) return i + 1;
      }
    } catch (error) {
      throw new RecordFailure(i, operatorId, error);
    }
    return i;
  };
}
