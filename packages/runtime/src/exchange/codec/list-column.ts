import type { ByteReader } from '@millrace/core/internal';
import { runtimeLimits } from '../../limits.js';
import { type NumberValues, readNumbers } from './number-column.js';

const { frameRowsMax } = runtimeLimits;

/** Arrays as two columns. */
interface Lists {
  readonly lengths: Float64Array;
  readonly elements: unknown[];
}

/** The columns of arrays; undefined if one is none, or has holes, or they are too long. */
export function listsOf(values: readonly unknown[], count: number): Lists | undefined {
  const lengths = new Float64Array(count);
  const elements: unknown[] = [];
  for (let row = 0; row < count; row += 1) {
    const list = values[row];
    if (!Array.isArray(list) || Object.getPrototypeOf(list) !== Array.prototype) return undefined;
    if (elements.length + list.length > frameRowsMax) return undefined;
    for (let at = 0; at < list.length; at += 1) {
      const element: unknown = list[at];
      if (element === undefined && !Object.hasOwn(list, at)) return undefined;
      elements.push(element);
    }
    lengths[row] = list.length;
  }
  return { lengths, elements };
}

/** Reads the lengths of arrays; their sum is bounded. */
export function readListLengths(reader: ByteReader, count: number): Float64Array {
  const lengths = new Float64Array(count);
  readNumbers(reader, count, lengths);
  let total = 0;
  for (const length of lengths) {
    if (!Number.isInteger(length) || length < 0) reader.corrupt(`${length} is no length`);
    total += length;
    if (total > frameRowsMax) reader.corrupt('arrays that are too long');
  }
  return lengths;
}

/** The arrays again. */
export function listsOfColumns(lengths: Float64Array, elements: NumberValues): unknown[] {
  const lists = new Array<unknown>(lengths.length);
  let next = 0;
  for (let row = 0; row < lengths.length; row += 1) {
    const list: unknown[] = [];
    for (let left = lengths[row]!; left > 0; left -= 1) {
      list.push(elements[next]);
      next += 1;
    }
    lists[row] = list;
  }
  return lists;
}
