import type { AggregatorNames } from '@millrace/core/spi';
import type { Fold, FoldPart } from './fold.js';
import { namesOf } from './fold-code.js';

/**
 * Rows between the two phases of a window. Beside key and timestamp they have columns: the number of
 * records in the row, of sessions the last record's timestamp, then the accumulators' numbers, then
 * their references.
 *
 * The timestamp is any instant of a slice, or a session's first one.
 */
export interface PartialLayout {
  /** The aggregators, without numbers of an operator's own. */
  readonly fold: Fold;
  readonly of: 'slices' | 'sessions';
}

/** Columns ahead of the accumulators'; the second one is there for sessions only. */
export const partialColumns = { records: 0, lastMs: 1 } as const;

export const columnsAhead = ({ of }: PartialLayout): number => (of === 'sessions' ? 2 : 1);

export function columnTypes(layout: PartialLayout): ('number' | 'any')[] {
  const { numbers, refs } = layout.fold.row;
  return [
    ...new Array<'number'>(columnsAhead(layout) + numbers.length).fill('number'),
    ...new Array<'any'>(refs.length).fill('any'),
  ];
}

const numberColumn = (layout: PartialLayout, n: number): number => columnsAhead(layout) + n;

export const refColumn = (layout: PartialLayout, r: number): number =>
  columnsAhead(layout) + layout.fold.row.numbers.length + r;

/** Text that gives the columns of a batch the names `part0` … */
export const openColumns = (layout: PartialLayout, batch: string): string =>
  columnTypes(layout)
    .map((_type, k) => `const part${k} = ${batch}.columns[${k}];`)
    .join(' ');

/** Names of one aggregator's cells in row `row` of the open columns. */
export function columnNames(
  layout: PartialLayout,
  part: FoldPart,
  index: number,
  row: string,
): AggregatorNames {
  return {
    ...namesOf(part, index, { numbers: '', n: '', refs: '', r: '' }),
    number: (i) => `part${numberColumn(layout, part.number + i)}[${row}]`,
    ref: (j) => `part${refColumn(layout, part.ref + j)}[${row}]`,
  };
}
