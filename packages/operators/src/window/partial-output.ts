import type {
  AccumulatorCells,
  Key,
  KeyTable,
  OperatorContext,
  RecordBatch,
} from '@millrace/core/spi';
import { cellsAt } from './fold-plain.js';
import {
  columnNames,
  columnsAhead,
  columnTypes,
  openColumns,
  type PartialLayout,
  refColumn,
} from './partial-rows.js';

/**
 * Numbers of a local phase's row ahead of the accumulators: of a session its first timestamp, which
 * becomes the timestamp of the row that is given out; then what are columns there, too.
 */
export const localNumbers = {
  slices: [0],
  sessions: [Infinity, 0, -Infinity],
} as const;

/** Numbers that are ahead of those that are columns. */
const uncolumned = (layout: PartialLayout): number =>
  localNumbers[layout.of].length - columnsAhead(layout);

/** Appends the rows of a local phase's table, all of them in use, to a batch that has room for them. */
export type EmitRows = (
  table: KeyTable,
  slots: { readonly from: number; readonly to: number },
  timestamp: number,
  batch: RecordBatch,
) => void;

export function emitRowsOf(layout: PartialLayout, context: OperatorContext): EmitRows {
  if (context.codegen === 'off') {
    return (table, { from, to }, timestamp, batch) => {
      for (let slot = from; slot < to; slot += 1) {
        const cells = cellsAt(table, slot);
        const n = cells.n + uncolumned(layout);
        appendCells(layout, { ...cells, n }, table.keyAt(slot), timestamp, batch);
      }
    };
  }
  const { numbers, refs } = layout.fold.row;
  const offset = uncolumned(layout);
  const stride = localNumbers[layout.of].length + numbers.length;
  const columns = columnTypes(layout).map((type, k) => {
    const r = k - refColumn(layout, 0);
    const cell =
      type === 'number' ? `d[slot * ${stride} + ${k + offset}]` : `f[slot * ${refs.length} + ${r}]`;
    return `const column${k} = columns[${k}];
  for (let slot = from; slot < to; slot += 1) column${k}[o + slot - from] = ${cell};`;
  });
  const body = `return function emitRows(table, { from, to }, timestamp, batch) {
  const d = table.numbers, f = table.refs, o = batch.count, columns = batch.columns;
  table.copyKeys(from, to, batch.keys, o);
  batch.timestamps.fill(timestamp, o, o + to - from);
  ${columns.join('\n  ')}
  batch.count = o + to - from;
};`;
  return context.compile<EmitRows>('partials', { names: [], values: [], body });
}

/** @param cells begin with the numbers that are columns ahead of the accumulators' */
export function appendCells(
  layout: PartialLayout,
  { numbers, n, refs, r }: AccumulatorCells,
  key: Key,
  timestamp: number,
  batch: RecordBatch,
): void {
  const at = batch.count;
  const firstRef = refColumn(layout, 0);
  batch.keys![at] = key;
  batch.timestamps[at] = timestamp;
  for (const [k, column] of batch.columns.entries()) {
    (column as unknown[])[at] = k < firstRef ? numbers[n + k]! : refs[r + k - firstRef];
  }
  batch.count = at + 1;
}

/** `-0` would become `0`. */
const literalOf = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** Text ahead of a loop that has `passStatements`. */
export const openRows = (layout: PartialLayout): string =>
  `const rows = out.main, rowKeys = rows.keys, rowTimes = rows.timestamps;
${openColumns(layout, 'rows')}`;

/** Statements that append a record as a row of its own. */
export function passStatements(layout: PartialLayout): string {
  const { fold } = layout;
  const own = ['1', 't'].slice(0, columnsAhead(layout));
  const cells = [
    ...own,
    ...fold.row.numbers.map(literalOf),
    ...fold.row.refs.map((_create, j) => `initial${j}()`),
  ];
  const adds = fold.parts.map((part, index) => {
    const names = columnNames(layout, part, index, 'o');
    return { ...part.aggregator.add(names), name: names.prepared };
  });
  return [
    'const o = rows.count;',
    ...cells.map((cell, k) => `part${k}[o] = ${cell};`),
    ...adds.flatMap(({ prepare, name }) =>
      prepare === undefined ? [] : [`const ${name} = ${prepare};`],
    ),
    ...adds.map(({ commit }) => commit),
    'rowKeys[o] = key; rowTimes[o] = t; rows.count = o + 1;',
  ].join('\n');
}
