import type { Key } from '@millrace/core/spi';
import type { Block, BlockKind, StateLayout } from './block.js';
import { blobsOf, numbersOf } from './block-body.js';
import { newBlockColumns } from './block-columns.js';
import { type LayoutFields, layoutOf, type SegmentIndex } from './segment-footer.js';
import type { ReadBytes } from './segment-format.js';
import { readBlocks, readSegmentIndex } from './segment-reader.js';
import { SegmentWriter } from './segment-writer.js';

/** A row as a test writes it down. Blobs are text of one character for each byte. */
export interface PlainRow {
  readonly group: number;
  readonly key: Key;
  readonly numbers: readonly number[];
  readonly blobs: readonly string[];
}

/** A block as a test writes it down. */
export interface PlainBlock {
  readonly layout: StateLayout;
  readonly kind: BlockKind;
  readonly namespace: readonly number[];
  readonly rows: readonly PlainRow[];
}

/** A key in JSON; what JSON does not know is an object with one property, as text. */
type JsonKey =
  | string
  | number
  | boolean
  | null
  | { readonly number: string }
  | { readonly bigint: string }
  | { readonly date: string }
  | readonly JsonKey[];

/** A blob in JSON: text, or text and how often it is repeated. */
type JsonBlob = string | readonly [string, number];

/** A block in JSON: numbers as text, fields of the layout in the order of the file. */
export interface JsonBlock {
  readonly layout: LayoutFields;
  readonly kind: BlockKind;
  readonly namespace: readonly string[];
  readonly rows: readonly (readonly [number, JsonKey, readonly string[], readonly JsonBlob[]])[];
}

/** Blocks as golden files hold them. */
export function plainBlocksOfJson(blocks: readonly JsonBlock[]): PlainBlock[] {
  return blocks.map(({ layout, kind, namespace, rows }) => ({
    layout: layoutOf(layout),
    kind,
    namespace: namespace.map(Number),
    rows: rows.map(([group, key, numbers, blobs]) => ({
      group,
      key: keyOfJson(key),
      numbers: numbers.map(Number),
      blobs: blobs.map((blob) => (typeof blob === 'string' ? blob : blob[0].repeat(blob[1]))),
    })),
  }));
}

function keyOfJson(key: JsonKey): Key {
  if (typeof key !== 'object' || key === null) return key;
  if ('number' in key) return Number(key.number);
  if ('bigint' in key) return BigInt(key.bigint);
  if ('date' in key) return new Date(Number(key.date));
  return key.map(keyOfJson);
}

/** The file that holds these blocks, and what its writer says that it holds. */
export function written(blocks: readonly PlainBlock[]): { bytes: Uint8Array; index: SegmentIndex } {
  const writer = new SegmentWriter();
  for (const block of blocks) addPlain(writer, block);
  const index = writer.finish();
  return { bytes: joined(writer.takeChunks()), index };
}

export const segmentOf = (blocks: readonly PlainBlock[]): Uint8Array => written(blocks).bytes;

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** What a file would answer; fewer bytes at its end. */
export function readerOf(bytes: Uint8Array): ReadBytes {
  return async (from, length) => bytes.slice(from, from + length);
}

/** All that a segment says about a range of key groups. */
export async function plainBlocks(
  bytes: Uint8Array,
  range = { first: 0, last: 0xffff },
): Promise<PlainBlock[]> {
  const read = readerOf(bytes);
  const index = await readSegmentIndex(read, bytes.length);
  const blocks: PlainBlock[] = [];
  for await (const block of readBlocks(index, read, range)) {
    blocks.push(plainBlock(block, index.layouts[block.layout]!));
  }
  return blocks;
}

function plainBlock({ kind, namespace, columns }: Block, layout: StateLayout): PlainBlock {
  const numbers = columns.numbers.slice(0, numbersOf(layout, kind));
  const blobs = columns.blobs.slice(0, blobsOf(layout, kind));
  const rows = Array.from({ length: columns.count }, (_, row) => ({
    group: columns.groups[row]!,
    key: columns.keys[row]!,
    numbers: numbers.map((column) => column[row]!),
    blobs: blobs.map(({ bytes, ends }) =>
      Buffer.from(bytes.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]!)).toString('latin1'),
    ),
  }));
  return { layout, kind, namespace, rows };
}

function addPlain(writer: SegmentWriter, { layout, kind, namespace, rows }: PlainBlock): void {
  const columns = newBlockColumns(layout);
  columns.count = rows.length;
  rows.forEach(({ group, key }, row) => {
    columns.groups[row] = group;
    columns.keys[row] = key;
  });
  for (let at = 0; at < numbersOf(layout, kind); at += 1) {
    rows.forEach(({ numbers }, row) => {
      columns.numbers[at]![row] = numbers[at]!;
    });
  }
  for (let at = 0; at < blobsOf(layout, kind); at += 1) {
    const column = columns.blobs[at]!;
    let text = '';
    rows.forEach(({ blobs }, row) => {
      text += blobs[at]!;
      column.ends[row] = text.length;
    });
    column.bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  }
  writer.add(writer.layout(layout), kind, namespace, columns);
}
