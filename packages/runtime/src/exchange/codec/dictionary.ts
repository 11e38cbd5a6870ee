import type { ByteWriter } from '@millrace/core/internal';
import { runtimeLimits } from '../../limits.js';
import { scratch } from './scratch.js';
import { writeText } from './text-bytes.js';

const { dictionaryEntriesMax, dictionaryPauseMax } = runtimeLimits;

/** Rows for each distinct string from which on a dictionary is shorter and faster. */
const rowsPerEntryMin = 4;

/** Writes distinct strings and, where there are several, the number of each row's. */
export function writeDictionary(
  out: ByteWriter,
  entries: ReadonlyMap<string, number>,
  count: number,
): void {
  out.varint(entries.size);
  for (const entry of entries.keys()) writeText(out, entry);
  if (entries.size > 1) out.raw(scratch.u8.subarray(0, count));
}

/** Finds the columns with few distinct strings; what failed once is tried less and less often. */
export class DictionaryTrial {
  /** Batches until the next try. */
  private wait = 0;
  /** Batches to wait when that fails. */
  private pause = 1;

  /**
   * The distinct strings with their numbers, while the scratch memory holds the number for each
   * row; undefined where there are too many, or it is not worth a try.
   */
  indexOf(strings: readonly string[], count: number): ReadonlyMap<string, number> | undefined {
    if (count < rowsPerEntryMin) return undefined;
    if (this.wait > 0) {
      this.wait -= 1;
      return undefined;
    }
    const entries = distinct(strings, count);
    if (entries === undefined) {
      this.wait = this.pause;
      this.pause = Math.min(this.pause * 2, dictionaryPauseMax);
    } else {
      this.pause = 1;
    }
    return entries;
  }
}

function distinct(strings: readonly string[], count: number): Map<string, number> | undefined {
  const entriesMax = Math.min(dictionaryEntriesMax, Math.floor(count / rowsPerEntryMin));
  let last = strings[0]!;
  let number = 0;
  const entries = new Map([[last, 0]]);
  for (let row = 0; row < count; row += 1) {
    const string = strings[row]!;
    if (string !== last) {
      const known = entries.get(string);
      if (known === undefined) {
        if (entries.size === entriesMax) return undefined;
        number = entries.size;
        entries.set(string, number);
      } else {
        number = known;
      }
      last = string;
    }
    scratch.u8[row] = number;
  }
  return entries;
}
