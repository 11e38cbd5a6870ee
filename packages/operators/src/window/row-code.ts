import type { KeyTable, OperatorContext, RecordBatch } from '@millrace/core/spi';
import type { TimeWindow } from './assigner.js';
import type { Fold } from './fold.js';
import { closureOf, mergeStatements, resultExpression } from './fold-code.js';
import { cellsAt, mergeCells, resultOf } from './fold-plain.js';
import { rowsAtOnce } from './limits.js';
import type { Pane } from './window.js';

/** What is done with rows of accumulators, in generated or plain form. */
export interface RowCode {
  /** Merges one row into another one. */
  mergeRow(into: KeyTable, intoSlot: number, from: KeyTable, fromSlot: number): void;
  /** Merges all rows of `from` into the rows of the same keys. */
  mergeAll(into: KeyTable, from: KeyTable): void;
  /**
   * Emits the results of the slots from `position.slot` on until the batch holds `rowsMax`; the
   * position is behind the last one taken, also when the author's function throws. Results have
   * the timestamp of the window's last millisecond.
   */
  emit(
    table: KeyTable,
    position: { slot: number },
    end: number,
    out: RecordBatch,
    rowsMax: number,
    window: TimeWindow,
    pane: Pane,
  ): void;
}

/** Row code for a fold: generated where that is allowed. */
export function rowCodeOf(fold: Fold, context: OperatorContext): RowCode {
  return context.codegen === 'off' ? plainRowCode(fold) : generatedRowCode(fold, context);
}

function generatedRowCode(fold: Fold, context: OperatorContext): RowCode {
  const ns = fold.row.numbers.length;
  const rs = fold.row.refs.length;
  const source = rowSource(fold, ns, rs);
  const { names, values } = closureOf(fold);
  return context.compile<RowCode>('rows', { names, values, body: source });
}

function rowSource(fold: Fold, ns: number, rs: number): string {
  const arrays = 'const d = into.numbers, r = into.refs, e = from.numbers, f = from.refs;';
  const row = `const p = intoSlot * ${ns}, q = intoSlot * ${rs}, m = fromSlot * ${ns}, o = fromSlot * ${rs};
      ${fold.mergeable ? mergeStatements(fold) : ''}`;
  return `const slots = new Int32Array(${rowsAtOnce});
return {
  mergeRow(into, intoSlot, from, fromSlot) {
    ${arrays}
    ${row}
  },
  mergeAll(into, from) {
    for (let start = 0; start < from.high; start += ${rowsAtOnce}) {
      const end = Math.min(from.high, start + ${rowsAtOnce});
      into.slotsOfRows(from, start, end, slots);
      ${arrays}
      for (let fromSlot = start; fromSlot < end; fromSlot += 1) {
        const intoSlot = slots[fromSlot - start];
        if (intoSlot < 0) continue;
        ${row}
      }
    }
  },
  emit(table, position, end, out, rowsMax, window, pane) {
    const d = table.numbers, r = table.refs, timestamp = window.end - 1;
    for (let slot = position.slot; slot < end; slot += 1) {
      if (out.count >= rowsMax) return;
      position.slot = slot + 1;
      if (!table.isLive(slot)) continue;
      const p = slot * ${ns}, q = slot * ${rs}, key = table.keyAt(slot);
      out.emit(${resultExpression(fold)}, timestamp);
    }
  },
};`;
}

/** The same in plain form: the readable reference, and the fallback. */
function plainRowCode(fold: Fold): RowCode {
  const mergeRow: RowCode['mergeRow'] = (into, intoSlot, from, fromSlot) =>
    mergeCells(fold, cellsAt(into, intoSlot), cellsAt(from, fromSlot));
  return {
    mergeRow,
    mergeAll(into, from) {
      for (let slot = 0; slot < from.high; slot += 1) {
        if (from.isLive(slot)) mergeRow(into, into.slot(from.keyAt(slot)), from, slot);
      }
    },
    emit(table, position, end, out, rowsMax, window, pane) {
      while (position.slot < end && out.count < rowsMax) {
        const slot = position.slot;
        position.slot += 1;
        if (!table.isLive(slot)) continue;
        const info = { key: table.keyAt(slot), window, pane };
        out.emit(resultOf(fold, cellsAt(table, slot), info), window.end - 1);
      }
    },
  };
}
