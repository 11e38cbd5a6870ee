import type { AccumulatorCells, Key, KeyTable } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import type { TimeWindow } from './assigner.js';
import type { Fold, FoldPart } from './fold.js';
import type { Pane } from './window.js';

/** The cells of one row. */
export function cellsAt(table: KeyTable, slot: number): AccumulatorCells {
  return {
    numbers: table.numbers,
    n: slot * table.numberStride,
    refs: table.refs,
    r: slot * table.refStride,
  };
}

const partCells = (cells: AccumulatorCells, part: FoldPart): AccumulatorCells => ({
  ...cells,
  n: cells.n + part.number,
  r: cells.r + part.ref,
});

/** Adds a record's inputs to the row of `key`, which is made if need be. */
export function addCells(fold: Fold, table: KeyTable, key: Key, inputs: readonly unknown[]): void {
  addToAll(fold, [table], key, inputs);
}

/** Adds a record's inputs to the rows of `key` in all tables, or throws and adds it to none. */
export function addToAll(
  fold: Fold,
  tables: readonly KeyTable[],
  key: Key,
  inputs: readonly unknown[],
): void {
  const prepared = tables.map((table) => preparedCells(fold, table, table.find(key), inputs));
  for (const [t, table] of tables.entries()) {
    const cells = prepared[t]!;
    commitCells(fold, cells, inputs);
    storeCells(table, table.slot(key), cells);
  }
}

/** Adds a record's inputs to the row in `slot`. */
export function addCellsAt(
  fold: Fold,
  table: KeyTable,
  slot: number,
  inputs: readonly unknown[],
): void {
  storeCells(table, slot, addedCells(fold, table, slot, inputs));
}

/**
 * A copy of the row in `slot`, or of a new one where that is −1, with the record added: an aggregator
 * that throws leaves the row alone.
 */
export function addedCells(
  fold: Fold,
  table: KeyTable,
  slot: number,
  inputs: readonly unknown[],
): AccumulatorCells {
  const copy = preparedCells(fold, table, slot, inputs);
  commitCells(fold, copy, inputs);
  return copy;
}

/** A copy of a row to which those aggregators have added the record that may throw. */
function preparedCells(
  fold: Fold,
  table: KeyTable,
  slot: number,
  inputs: readonly unknown[],
): AccumulatorCells {
  // The author's functions may change an accumulator in place.
  if (slot >= 0) touchRow(table, slot);
  const copy = cellsCopy(fold, table, slot);
  for (const part of fold.parts) if (part.mayThrow) addPart(part, copy, inputs);
  return copy;
}

/** The rest: lists and sets, which the copy shares with the row, are changed in place. */
function commitCells(fold: Fold, cells: AccumulatorCells, inputs: readonly unknown[]): void {
  for (const part of fold.parts) if (!part.mayThrow) addPart(part, cells, inputs);
}

function addPart(part: FoldPart, cells: AccumulatorCells, inputs: readonly unknown[]): void {
  const { input, aggregator } = part;
  const own = inputs.slice(input, input + aggregator.inputs.length);
  aggregator.plain.add(partCells(cells, part), own);
}

/** Writes cells into a row. */
export function storeCells(table: KeyTable, slot: number, cells: AccumulatorCells): void {
  const { numberStride, refStride } = table;
  for (let n = 0; n < numberStride; n += 1) {
    table.numbers[slot * numberStride + n] = cells.numbers[cells.n + n]!;
  }
  for (let r = 0; r < refStride; r += 1) {
    table.refs[slot * refStride + r] = cells.refs[cells.r + r];
  }
}

function cellsCopy(fold: Fold, table: KeyTable, slot: number): AccumulatorCells {
  if (slot < 0) {
    const refs = fold.row.refs.map((create) => create());
    return { numbers: Float64Array.from(fold.row.numbers), n: 0, refs, r: 0 };
  }
  return rowCopy(table, slot);
}

/** A copy of the row in `slot`; what its references refer to is shared. */
export function rowCopy(table: KeyTable, slot: number): AccumulatorCells {
  const { numbers, n, refs, r } = cellsAt(table, slot);
  return {
    numbers: numbers.slice(n, n + table.numberStride),
    n: 0,
    refs: refs.slice(r, r + table.refStride),
    r: 0,
  };
}

/** Copies a key's row to another table; its slot there, or −1 where the key has no row. */
export function copyRow(from: KeyTable, key: Key, into: KeyTable): number {
  const slot = from.find(key);
  if (slot < 0) return -1;
  const copy = into.slot(key);
  storeCells(into, copy, cellsAt(from, slot));
  return copy;
}

export function mergeCells(fold: Fold, into: AccumulatorCells, from: AccumulatorCells): void {
  for (const part of fold.parts) {
    part.aggregator.plain.merge?.(partCells(into, part), partCells(from, part));
  }
}

export function resultOf(
  fold: Fold,
  cells: AccumulatorCells,
  info: { readonly key: Key; readonly window: TimeWindow; readonly pane: Pane },
): unknown {
  const values = fold.parts.map((part) => part.aggregator.plain.result(partCells(cells, part)));
  if (fold.single) return values[0];
  return Object.fromEntries([
    ...fold.parts.map((part, index) => [part.name, values[index]] as const),
    ...Object.entries(info),
  ]);
}
