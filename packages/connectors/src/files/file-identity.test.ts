import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Split } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { openReader, readOn, valuesOf } from '../reading/reader-driver.js';
import { csvSource } from './csv-source.js';
import { folderWith } from './temporary-folder-driver.js';

const rowCount = 3_000;
const row = (index: number): string => `${index},${'x'.repeat(index % 7)}\n`;
const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => row(from + index)).join('');
const content = `n,text\n${rows(0, rowCount)}`;

/** Reads some rows of a file, and what is left of it after something happened to it. */
async function readAround(
  rowsBefore: number,
  happens: (path: string) => void,
  name = 'in.csv',
): Promise<readonly unknown[]> {
  const path = join(folderWith({ [name]: content }), name);
  const source = csvSource({ path, columns: { n: 'integer' } });
  const reader = await openReader(source);
  await readOn(reader, rowsBefore, 1);
  const snapshot = JSON.parse(JSON.stringify(reader.snapshot())) as readonly Split[];
  await reader.close?.();
  happens(path);
  const restarted = await openReader(source, undefined, snapshot);
  try {
    return valuesOf((await readOn(restarted)).arrived).map((value) => (value as { n: number }).n);
  } finally {
    await restarted.close?.();
  }
}

const byteOfRow = (index: number): number => `n,text\n${rows(0, index)}`.length;

/** Overwrites bytes of a file, so that its size stays. */
function overwrite(path: string, atByte: number): void {
  const bytes = readFileSync(path);
  bytes[atByte]! ^= 1;
  writeFileSync(path, bytes);
}

describe('a restart goes on in a file', () => {
  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => from + index);

  test.each([1, 5, 2_000])('that stayed the same, after %d rows', async (count) => {
    expect(await readAround(count, () => {})).toEqual(numbers(count, rowCount));
  });
  test('that has grown', async () => {
    const more = (path: string) => appendFileSync(path, rows(rowCount, rowCount + 3));
    expect(await readAround(2_000, more)).toEqual(numbers(2_000, rowCount + 3));
  });
  test('that is packed and has grown by another member', async () => {
    const more = (path: string) => appendFileSync(path, gzipSync(rows(rowCount, rowCount + 3)));
    expect(await readAround(2_000, more, 'in.csv.gz')).toEqual(numbers(2_000, rowCount + 3));
  });
  test('that differs behind the position only', async () => {
    const after = (path: string) => overwrite(path, byteOfRow(2_500));
    expect(await readAround(2_000, after)).toHaveLength(1_000);
  });
  test('of which nothing was read, whatever became of it', async () => {
    const source = (path: string) => csvSource({ path, columns: { n: 'integer' } });
    const path = join(folderWith({ 'in.csv': content }), 'in.csv');
    const reader = await openReader(source(path));
    reader.poll(1);
    const snapshot = reader.snapshot();
    await reader.close?.();
    writeFileSync(path, 'n\n7\n');
    const restarted = await openReader(source(path), undefined, snapshot);
    expect(valuesOf((await readOn(restarted)).arrived)).toEqual([{ n: 7 }]);
  });
});

describe('a restart refuses a file', () => {
  const at = byteOfRow(2_000);
  const size = content.length;
  const rewritten = content.replaceAll('x', 'y');
  const packed = (text: string) => (path: string) => writeFileSync(path, gzipSync(text));

  test.each<[string, string, (path: string) => void, RegExp]>([
    ['that is missing', 'in.csv', rmSync, /is not there any more/],
    [
      'that ends before the position',
      'in.csv',
      (path) => truncateSync(path, at - 1),
      new RegExp(`was truncated: it has ${at - 1} bytes and had ${size}`),
    ],
    [
      'that has lost bytes behind it',
      'in.csv',
      (path) => truncateSync(path, size - 1),
      new RegExp(`was truncated: it has ${size - 1} bytes and had ${size}`),
    ],
    [
      'whose beginning differs',
      'in.csv',
      (path) => overwrite(path, 4_000),
      /was replaced or rewritten: its first 4096 bytes differ/,
    ],
    [
      'that differs right before the position',
      'in.csv',
      (path) => overwrite(path, at - 1),
      /was replaced or rewritten: the 4096 bytes before that position differ/,
    ],
    [
      'that was replaced by a larger one',
      'in.csv',
      (path) => writeFileSync(path, rewritten + rewritten),
      /was replaced or rewritten/,
    ],
    ['that is packed and missing', 'in.csv.gz', rmSync, /is not there any more/],
    ['that is packed and shorter', 'in.csv.gz', packed('n\n1\n'), /was truncated/],
    [
      'that is packed and another one',
      'in.csv.gz',
      packed(`${rewritten}${Array.from({ length: 9_000 }, (_, i) => row(i * 7_919)).join('')}`),
      /was replaced or rewritten: its first 4096 bytes differ/,
    ],
  ])('%s', async (_name, name, happens, message) => {
    const reading = readAround(2_000, happens, name);
    await expect(reading).rejects.toMatchObject({ code: 'ERR_SOURCE_CHANGED', retryable: false });
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(new RegExp(`/${name} .* go on at byte ${at}`));
  });

  test('that is shorter than a position that knows no more of it', async () => {
    const path = join(folderWith({ 'in.csv': content }), 'in.csv');
    const position = { byte: size + 1, line: 3, carried: ['n', 'text'] };
    const reader = await openReader(csvSource({ path }), undefined, [{ id: path, position }]);
    await expect(readOn(reader)).rejects.toThrow(/ERR_SOURCE_CHANGED.*in\.csv was truncated/);
  });
});
