import type { Key } from '@millrace/core';
import { encodeKey, encodeRecord } from '@millrace/core/internal';
import type { StateRow } from './state-rows.js';
import { placeOf } from './state-text.js';

/** How one row differs between two checkpoints. */
export interface RowDifference {
  readonly operator: string;
  readonly state: string;
  readonly place: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: unknown;
  readonly after: unknown;
}

/** The rows that are not the same in both, in the order of their places. */
export function diffRows(
  before: readonly StateRow[],
  after: readonly StateRow[],
): readonly RowDifference[] {
  const older = new Map(before.map((row) => [idOf(row), row]));
  const newer = new Map(after.map((row) => [idOf(row), row]));
  const removed = before
    .filter((row) => !newer.has(idOf(row)))
    .map((row) => differenceOf(row, 'removed', row.value, undefined));
  const others = after.flatMap((row) => {
    const was = older.get(idOf(row));
    if (was === undefined) return [differenceOf(row, 'added', undefined, row.value)];
    if (isSame(was.value, row.value)) return [];
    return [differenceOf(row, 'changed', was.value, row.value)];
  });
  return [...removed, ...others].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

const isSame = (before: unknown, after: unknown): boolean =>
  Buffer.compare(encodeRecord(before), encodeRecord(after)) === 0;

/** Not by its text: keys of different kinds, such as `17n` and `'17n'`, may look the same. */
function idOf({ operator, state, task, namespace, key, entry }: StateRow): string {
  const inside = entry === undefined ? '' : encodeKey(entry as Key).join();
  return [operator, state, task, namespace.join(), encodeKey(key).join(), inside].join('\n');
}

const orderOf = (row: RowDifference): string => `${row.operator}\n${row.state}\n${row.place}`;

function differenceOf(
  row: StateRow,
  change: RowDifference['change'],
  before: unknown,
  after: unknown,
): RowDifference {
  const { operator, state } = row;
  return { operator, state, place: placeOf(row), change, before, after };
}
