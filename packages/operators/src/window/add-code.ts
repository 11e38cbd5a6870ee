import {
  type KeyTable,
  type OperatorContext,
  type Outputs,
  type RecordBatch,
  RecordFailure,
} from '@millrace/core/spi';
import type { Fold } from './fold.js';
import { addStatements, closureOf, inputColumns, prepareStatements } from './fold-code.js';
import { addCells } from './fold-plain.js';

/**
 * Where the records of the timestamps `lo ≤ t < hi` are added: to the rows of `tables` (one table
 * for slices, one for each window otherwise). Moved by `seek`.
 */
export interface AddTarget {
  lo: number;
  hi: number;
  table: KeyTable;
  tables: readonly KeyTable[];
  /** Some of these windows have fired already: each record fires them again. */
  again: boolean;
  /** Moves to the timestamp; false when its record is late for all of its windows. */
  seek(timestamp: number): boolean;
  /** Takes a late record. */
  late(batch: RecordBatch, index: number, out: Outputs): void;
  /** Called ahead of a record that fires windows again. */
  beforeAgain(key: never, timestamp: number): void;
  /** Fires again the windows of `timestamp` that have fired before. */
  fireAgain(key: never, timestamp: number, out: Outputs): void;
}

export type AddLoop = (target: AddTarget, batch: RecordBatch, from: number, out: Outputs) => number;

/** The loop that adds a batch's records; several tables when records are stored per window. */
export function addLoopOf(fold: Fold, perWindow: boolean, context: OperatorContext): AddLoop {
  if (context.codegen === 'off') return plainAddLoop(fold, context.operatorId);
  const { names, values } = closureOf(fold);
  return context.compile<AddLoop>('add', {
    names: [...names, 'RecordFailure'],
    values: [...values, RecordFailure],
    body: addSource(fold, perWindow, context.operatorId),
  });
}

function addSource(fold: Fold, perWindow: boolean, operatorId: string): string {
  const add = addStatements(fold, 'make');
  const prepared = perWindow ? prepareStatements(fold, 'make') : [];
  // Several tables and an aggregator that may throw: add nowhere unless it works everywhere.
  const rehearsal =
    prepared.length === 0
      ? ''
      : `if (tables.length > 1) for (let w = 0; w < tables.length; w += 1) {
        const table = tables[w], found = table.find(key);
        ${prepared.join(' ')}
      }\n`;
  const body = perWindow
    ? `${rehearsal}for (let w = 0; w < tables.length; w += 1) { const table = tables[w];\n${add}\n}`
    : add;
  return `return function addLoop(target, batch, from, out) {
  const timestamps = batch.timestamps, keys = batch.keys, count = batch.count;
  ${inputColumns(fold)}
  let lo = target.lo, hi = target.hi, again = target.again;
  let ${perWindow ? 'tables = target.tables' : 'table = target.table'};
  let i = from;
  try {
    for (; i < count; i += 1) {
      const t = timestamps[i];
      if (t < lo || t >= hi) {
        if (!target.seek(t)) {
          lo = 1; hi = 0;
          target.late(batch, i, out);
          if (out.isFull()) return i + 1;
          continue;
        }
        lo = target.lo; hi = target.hi; again = target.again;
        ${perWindow ? 'tables = target.tables' : 'table = target.table'};
      }
      const key = keys[i];
      if (again) target.beforeAgain(key, t);
      ${body}
      if (again) {
        target.fireAgain(key, t, out);
        if (out.isFull()) return i + 1;
      }
    }
  } catch (error) {
    throw new RecordFailure(i, ${JSON.stringify(operatorId)}, error);
  }
  return count;
}`;
}

/** The same without generated code. */
export function plainAddLoop(fold: Fold, operatorId: string): AddLoop {
  return (target, batch, from, out) => {
    let i = from;
    try {
      for (; i < batch.count; i += 1) {
        const t = batch.timestamps[i]!;
        if ((t < target.lo || t >= target.hi) && !target.seek(t)) {
          target.late(batch, i, out);
        } else {
          const key = batch.keys![i] as never;
          if (target.again) target.beforeAgain(key, t);
          for (const table of target.tables) addCells(fold, table, key, batch.columns, i);
          if (target.again) target.fireAgain(key, t, out);
        }
        if (out.isFull()) return i + 1;
      }
    } catch (error) {
      throw new RecordFailure(i, operatorId, error);
    }
    return batch.count;
  };
}
