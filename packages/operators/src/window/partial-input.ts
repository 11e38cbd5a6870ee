import type { AccumulatorCells, KeyTable, OperatorContext, RecordBatch } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import type { Fold } from './fold.js';
import { closureOf, namesOf } from './fold-code.js';
import { cellsAt, mergeCells } from './fold-plain.js';
import { columnNames, openColumns, type PartialLayout, refColumn } from './partial-rows.js';
import { type Tracking, touchStatement, trackingOf } from './tracking.js';

/** Takes a partial row's accumulators into rows of state. */
export interface TakePartial {
  /** Makes them those of a new row. */
  store(table: KeyTable, slot: number, batch: RecordBatch, i: number): void;
  /** Merges them into a row that was there. */
  merge(table: KeyTable, slot: number, batch: RecordBatch, i: number): void;
}

/** @param fold as the rows of state have it */
export function takePartialOf(
  fold: Fold,
  layout: PartialLayout,
  context: OperatorContext,
): TakePartial {
  if (context.codegen === 'off') return plainTakePartial(fold, layout);
  const { names, values } = closureOf(fold);
  const body = `return {
  store(table, slot, batch, i) {
    ${openColumns(layout, 'batch')}
    ${storeStatements(fold, layout)}
  },
  merge(table, slot, batch, i) {
    const epoch = table.epoch;
    ${openColumns(layout, 'batch')}
    ${mergeIntoStatements(fold, layout, trackingOf(context))}
  },
};`;
  return context.compile<TakePartial>('partials', { names, values, body });
}

const rowOf = ({ row: { numbers, refs } }: Fold): string =>
  `const d = table.numbers, p = slot * ${numbers.length};
const r = table.refs, q = slot * ${refs.length};`;

/** Statements that make row `i` of the open columns the new row `slot` of `table`. */
export function storeStatements(fold: Fold, layout: PartialLayout): string {
  const { row, parts } = layout.fold;
  const reserved = fold.row.numbers.length - row.numbers.length;
  const cells = parts.flatMap((part, index) => {
    const from = columnNames(layout, part, index, 'i');
    const { numbers, refs } = part.aggregator;
    return [
      ...numbers.map((_initial, n) => `d[p + ${reserved + part.number + n}] = ${from.number(n)};`),
      ...refs.map((_create, j) => `r[q + ${part.ref + j}] = ${from.ref(j)};`),
    ];
  });
  return [rowOf(fold), ...cells].join('\n');
}

/** Statements that merge row `i` of the open columns into row `slot` of `table`. */
export function mergeIntoStatements(fold: Fold, layout: PartialLayout, tracking: Tracking): string {
  const merges = fold.parts.map((part, index) => {
    const into = namesOf(part, index, { numbers: 'd', n: 'p', refs: 'r', r: 'q' });
    return part.aggregator.merge!(into, columnNames(layout, layout.fold.parts[index]!, index, 'i'));
  });
  return [rowOf(fold), touchStatement(tracking, 'slot'), ...merges].join('\n');
}

function plainTakePartial(fold: Fold, layout: PartialLayout): TakePartial {
  const reserved = fold.row.numbers.length - layout.fold.row.numbers.length;
  const first = refColumn(layout, 0) - layout.fold.row.numbers.length;
  const cellsOf = (batch: RecordBatch, i: number): AccumulatorCells => {
    const columns = batch.columns.slice(first).map((column) => column[i]);
    const numbers = columns.slice(0, layout.fold.row.numbers.length) as number[];
    const cells = new Float64Array(reserved + numbers.length);
    cells.set(numbers, reserved);
    return { numbers: cells, n: 0, refs: columns.slice(numbers.length), r: 0 };
  };
  return {
    store(table, slot, batch, i) {
      const { numbers, refs } = cellsOf(batch, i);
      const into = cellsAt(table, slot);
      for (let n = reserved; n < numbers.length; n += 1) into.numbers[into.n + n] = numbers[n]!;
      for (const [j, ref] of refs.entries()) into.refs[into.r + j] = ref;
    },
    merge(table, slot, batch, i) {
      touchRow(table, slot);
      mergeCells(fold, cellsAt(table, slot), cellsOf(batch, i));
    },
  };
}
