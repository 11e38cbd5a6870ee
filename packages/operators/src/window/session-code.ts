import {
  type KeyTable,
  type OperatorContext,
  type Outputs,
  type RecordBatch,
  RecordFailure,
} from '@millrace/core/spi';
import type { Fold } from './fold.js';
import { addStatements, closureOf, inputColumns } from './fold-code.js';
import { addCellsAt } from './fold-plain.js';

/** Numbers of a session's row ahead of its accumulators. */
export const sessionCells = { start: 0, end: 1, nextPane: 2, bucket: 3 } as const;

/** What the loop needs of its operator. */
export interface SessionTarget {
  readonly gapMs: number;
  /** A key's latest session. */
  readonly latest: KeyTable;
  /** Takes a record that does not simply continue its key's latest session. */
  takeElsewhere(batch: RecordBatch, index: number, out: Outputs): void;
}

export interface SessionCode {
  /** Adds a batch's records: those inside or at the end of the latest session at once. */
  addBatch(target: SessionTarget, batch: RecordBatch, from: number, out: Outputs): number;
  /** Adds one record to a row. */
  addRow(table: KeyTable, slot: number, batch: RecordBatch, index: number): void;
}

export function sessionCodeOf(fold: Fold, context: OperatorContext): SessionCode {
  if (context.codegen === 'off') return plainSessionCode(fold, context.operatorId);
  const { names, values } = closureOf(fold);
  return context.compile<SessionCode>('sessions', {
    names: [...names, 'RecordFailure'],
    values: [...values, RecordFailure],
    body: sessionSource(fold, context.operatorId),
  });
}

function sessionSource(fold: Fold, operatorId: string): string {
  const stride = fold.row.numbers.length;
  const { start, end, nextPane } = sessionCells;
  const add = addStatements(fold, 'found');
  return `return {
  addBatch(target, batch, from, out) {
    const timestamps = batch.timestamps, keys = batch.keys, count = batch.count;
    const gap = target.gapMs, table = target.latest;
    ${inputColumns(fold)}
    let i = from;
    try {
      for (; i < count; i += 1) {
        const t = timestamps[i];
        const found = table.find(keys[i]);
        if (found >= 0) {
          const cells = table.numbers, at = found * ${stride};
          if (t >= cells[at + ${start}] && t <= cells[at + ${end}] && cells[at + ${nextPane}] === 0) {
            ${add}
            if (t + gap > cells[at + ${end}]) cells[at + ${end}] = t + gap;
            continue;
          }
        }
        target.takeElsewhere(batch, i, out);
        if (out.isFull()) return i + 1;
      }
    } catch (error) {
      throw new RecordFailure(i, ${JSON.stringify(operatorId)}, error);
    }
    return count;
  },
  addRow(table, found, batch, i) {
    ${inputColumns(fold)}
    ${add}
  },
};`;
}

/** The same without generated code. */
export function plainSessionCode(fold: Fold, operatorId: string): SessionCode {
  const { start, end, nextPane } = sessionCells;
  const addRow: SessionCode['addRow'] = (table, slot, batch, index) =>
    addCellsAt(fold, table, slot, batch.columns, index);
  return {
    addRow,
    addBatch(target, batch, from, out) {
      let i = from;
      try {
        for (; i < batch.count && !out.isFull(); i += 1) {
          const t = batch.timestamps[i]!;
          const table = target.latest;
          const slot = table.find(batch.keys![i]!);
          const at = slot * table.numberStride;
          const cells = table.numbers;
          const inside = slot >= 0 && t >= cells[at + start]! && t <= cells[at + end]!;
          if (!inside || cells[at + nextPane] !== 0) target.takeElsewhere(batch, i, out);
          else {
            addRow(table, slot, batch, i);
            cells[at + end] = Math.max(cells[at + end]!, t + target.gapMs);
          }
        }
      } catch (error) {
        throw new RecordFailure(i, operatorId, error);
      }
      return i;
    },
  };
}
