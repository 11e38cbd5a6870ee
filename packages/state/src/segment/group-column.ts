import { MillraceError } from '@millrace/core';
import type { ByteReader, ByteWriter, KeyGroupRange } from '@millrace/core/internal';
import type { RowSpan } from './row-span.js';

/** Highest key group that fits a column. */
const groupMax = 0xffff;

/**
 * Writes the key groups as runs until all rows are covered: the distance from the group before,
 * and the number of rows.
 *
 * @throws MillraceError `ERR_INVARIANT` if the groups fall
 */
export function writeGroups(out: ByteWriter, groups: Uint16Array, count: number): void {
  let before = 0;
  for (let row = 0; row < count; ) {
    const group = groups[row]!;
    if (group < before) {
      throw new MillraceError('ERR_INVARIANT', `key groups of a block fall at row ${row}`);
    }
    let end = row + 1;
    while (end < count && groups[end] === group) end += 1;
    out.varint(group - before);
    out.varint(end - row);
    before = group;
    row = end;
  }
}

/** Reads the key groups of all `count` rows. */
export function readGroups(reader: ByteReader, groups: Uint16Array, count: number): void {
  let group = 0;
  for (let row = 0; row < count; ) {
    const step = reader.varint();
    const rows = reader.varint();
    if (rows === 0 || rows > count - row) reader.corrupt(`${rows} rows in a run of key groups`);
    if ((row > 0 && step === 0) || step > groupMax - group) reader.corrupt('not a key group');
    group += step;
    groups.fill(group, row, row + rows);
    row += rows;
  }
}

/** The rows whose groups lie within a range, moved to the front of `groups`. */
export function cutToGroups(groups: Uint16Array, count: number, range: KeyGroupRange): RowSpan {
  let from = 0;
  while (from < count && groups[from]! < range.first) from += 1;
  let to = count;
  while (to > from && groups[to - 1]! > range.last) to -= 1;
  if (from > 0) groups.copyWithin(0, from, to);
  return { count, from, to };
}
