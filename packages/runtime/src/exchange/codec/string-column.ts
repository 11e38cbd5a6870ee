import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { runtimeLimits } from '../../limits.js';
import { type DictionaryTrial, writeDictionary } from './dictionary.js';
import { LengthForm, StringForm } from './frame-format.js';
import { copyToScratch } from './number-column.js';
import { scratch, scratchLengths } from './scratch.js';
import { isWide, latin1At, readText, writeLatin1, writeText } from './text-bytes.js';

const { stringsPerSlice, sliceLengthMax, columnTextLengthMax } = runtimeLimits;

/** Entries that a dictionary may have by its format, whatever the limit of the day. */
const numbersOfByte = 256;

/** Writes a column of strings; false, and nothing written, if one of the values is none. */
export function writeStrings(
  out: ByteWriter,
  values: readonly unknown[],
  count: number,
  trial: DictionaryTrial,
): boolean {
  let longest = 0;
  let shortest = Number.POSITIVE_INFINITY;
  let total = 0;
  for (let row = 0; row < count; row += 1) {
    const value = values[row];
    if (typeof value !== 'string') return false;
    const { length } = value;
    scratchLengths[row] = length;
    total += length;
    if (length > longest) longest = length;
    if (length < shortest) shortest = length;
  }
  const strings = values as readonly string[];
  const index = trial.indexOf(strings, count);
  if (index !== undefined) {
    out.u8(StringForm.dictionary);
    writeDictionary(out, index, count);
    return true;
  }
  const text = total > columnTextLengthMax ? undefined : joined(strings, count);
  if (text === undefined || isWide(text)) {
    out.u8(StringForm.single);
    for (let row = 0; row < count; row += 1) writeText(out, strings[row]!);
  } else {
    out.u8(StringForm.latin1);
    writeLengths(out, count, { shortest, longest });
    writeLatin1(out, text);
  }
  return true;
}

/** Appending and writing at once takes a third of the time of writing one by one. */
function joined(strings: readonly string[], count: number): string {
  let text = '';
  for (let row = 0; row < count; row += 1) text += strings[row]!;
  return text;
}

function writeLengths(
  out: ByteWriter,
  count: number,
  { shortest, longest }: { readonly shortest: number; readonly longest: number },
): void {
  if (longest === shortest) {
    out.u8(LengthForm.constant);
    out.varint(longest);
    return;
  }
  const form =
    longest <= 0xff ? LengthForm.u8 : longest <= 0xffff ? LengthForm.u16 : LengthForm.u32;
  const lengths = lengthArrays[form];
  for (let row = 0; row < count; row += 1) lengths[row] = scratchLengths[row]!;
  out.u8(form);
  out.raw(scratch.u8.subarray(0, count * form));
}

const lengthArrays = {
  [LengthForm.u8]: scratch.u8,
  [LengthForm.u16]: scratch.u16,
  [LengthForm.u32]: scratch.u32,
} as const;

/**
 * Reads what {@link writeStrings} wrote.
 *
 * Strings are cut out of slices that hold a few neighbours: V8 lets a part of 13 characters and
 * more keep its slice alive. So one string that is kept keeps at most `stringsPerSlice` − 1 others,
 * and none where they are long (`sliceLengthMax`).
 */
export function readStrings(reader: ByteReader, count: number): string[] {
  const form = reader.u8();
  switch (form) {
    case StringForm.latin1:
      return readLatin1(reader, count);
    case StringForm.single:
      return readSingles(reader, count);
    case StringForm.dictionary:
      return readDictionary(reader, count);
    default:
      return reader.corrupt(`${form} is not the form of a column of strings`);
  }
}

function readSingles(reader: ByteReader, count: number): string[] {
  const strings = new Array<string>(count);
  for (let row = 0; row < count; row += 1) strings[row] = readText(reader);
  return strings;
}

function readLatin1(reader: ByteReader, count: number): string[] {
  const total = readLengths(reader, count);
  let start = reader.advance(total);
  const { bytes } = reader;
  const strings = new Array<string>(count);
  for (let row = 0; row < count; ) {
    const rowsEnd = Math.min(row + stringsPerSlice, count);
    let length = 0;
    for (let at = row; at < rowsEnd; at += 1) length += scratchLengths[at]!;
    if (length <= sliceLengthMax) {
      const slice = latin1At(bytes, start, start + length);
      let from = 0;
      for (; row < rowsEnd; row += 1) {
        const to = from + scratchLengths[row]!;
        strings[row] = slice.substring(from, to);
        from = to;
      }
      start += length;
    } else {
      for (; row < rowsEnd; row += 1) {
        const end = start + scratchLengths[row]!;
        strings[row] = latin1At(bytes, start, end);
        start = end;
      }
    }
  }
  return strings;
}

/** Reads lengths to {@link scratchLengths} and returns their sum. */
function readLengths(reader: ByteReader, count: number): number {
  const form = reader.u8();
  if (form === LengthForm.constant) {
    const length = reader.varint();
    scratchLengths.fill(length, 0, count);
    return length * count;
  }
  if (form !== LengthForm.u8 && form !== LengthForm.u16 && form !== LengthForm.u32) {
    reader.corrupt(`${form} is not the form of lengths`);
  }
  copyToScratch(reader, count * form);
  const lengths = lengthArrays[form as 1 | 2 | 4];
  let total = 0;
  for (let row = 0; row < count; row += 1) {
    scratchLengths[row] = lengths[row]!;
    total += lengths[row]!;
  }
  return total;
}

function readDictionary(reader: ByteReader, count: number): string[] {
  const entryCount = reader.varint();
  if (entryCount === 0 || entryCount > numbersOfByte) {
    reader.corrupt(`a dictionary of ${entryCount} strings`);
  }
  const entries = readSingles(reader, entryCount);
  const strings = new Array<string>(count);
  if (entryCount === 1) return strings.fill(entries[0]!);
  const start = reader.advance(count);
  for (let row = 0; row < count; row += 1) {
    const entry = entries[reader.bytes[start + row]!];
    if (entry === undefined) reader.corrupt('not in the dictionary');
    strings[row] = entry;
  }
  return strings;
}
