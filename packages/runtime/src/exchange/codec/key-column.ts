import { type ByteReader, type ByteWriter, readKey, writeKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import type { DictionaryTrial } from './dictionary.js';
import { KeyForm } from './frame-format.js';
import { readNumberValues, toNumbers, writeNumbers } from './number-column.js';
import { scratchNumbers } from './scratch.js';
import { readStrings, writeStrings } from './string-column.js';

/**
 * Writes numbers and strings as columns of such, any others as the canonical bytes of each.
 *
 * @throws MillraceError `ERR_INVALID_KEY`
 */
export function writeKeys(
  out: ByteWriter,
  keys: readonly Key[],
  count: number,
  trial: DictionaryTrial,
): void {
  const start = out.length;
  if (toNumbers(keys, count)) {
    out.u8(KeyForm.number);
    writeNumbers(out, scratchNumbers, count);
    return;
  }
  out.u8(KeyForm.string);
  if (writeStrings(out, keys, count, trial)) return;
  out.length = start;
  out.u8(KeyForm.canonical);
  for (let row = 0; row < count; row += 1) writeKey(out, keys[row]!);
}

/** Reads what {@link writeKeys} wrote to the front of `target`. */
export function readKeys(reader: ByteReader, count: number, target: Key[]): void {
  const form = reader.u8();
  switch (form) {
    case KeyForm.number: {
      const numbers = readNumberValues(reader, count) as number[] | Float64Array;
      for (let row = 0; row < count; row += 1) target[row] = numbers[row]!;
      break;
    }
    case KeyForm.string: {
      const strings = readStrings(reader, count);
      for (let row = 0; row < count; row += 1) target[row] = strings[row]!;
      break;
    }
    case KeyForm.canonical:
      for (let row = 0; row < count; row += 1) target[row] = readKey(reader);
      break;
    default:
      reader.corrupt(`${form} is not the form of a column of keys`);
  }
}
