import { ByteReader, ByteWriter } from '@millrace/core/internal';
import { stateLimits } from '../limits.js';
import { type BlockKind, blockRowsMax, type StateLayout } from './block.js';
import { blockKinds, frameBytes, headerBytes } from './segment-format.js';

/** What the index says of a block. */
export interface BlockEntry {
  /** Where the block's frame begins, in bytes from the start of the file. */
  readonly offset: number;
  /** Bytes of the body. */
  readonly length: number;
  readonly crc: number;
  /** Index into the segment's layouts. */
  readonly layout: number;
  readonly kind: BlockKind;
  readonly namespace: readonly number[];
  readonly lowGroup: number;
  readonly highGroup: number;
  /** Rows; none in a `drop`. */
  readonly count: number;
}

/** What a segment holds, without its blocks. */
export interface SegmentIndex {
  readonly layouts: readonly StateLayout[];
  /** In the order in which they act. */
  readonly blocks: readonly BlockEntry[];
  /** Bytes of the file. */
  readonly bytes: number;
}

/** Collects what the footer will say while blocks are written. */
export class FooterWriter {
  readonly layouts: StateLayout[] = [];
  private readonly layoutIndexes = new Map<string, number>();
  private readonly namespaceIndexes = new Map<string, number>();
  private readonly namespaceList: (readonly number[])[] = [];
  private readonly namespaces = new ByteWriter();
  /** Of the block before: thousands of blocks in a row belong to one table. */
  private lastNamespace = 0;
  private lastLayout: { readonly layout: StateLayout; readonly index: number } | undefined;
  private readonly entries = new ByteWriter();
  private readonly blocks: BlockEntry[] = [];
  private offset = headerBytes;

  /** The index of a layout; the same for one that says the same. */
  layout(layout: StateLayout): number {
    if (this.lastLayout?.layout === layout) return this.lastLayout.index;
    const index = this.indexOfLayout(layout);
    this.lastLayout = { layout, index };
    return index;
  }

  /** Takes note of the next block. */
  add(block: Omit<BlockEntry, 'offset'>): void {
    const { entries } = this;
    entries.varint(block.layout);
    entries.u8(blockKinds.indexOf(block.kind));
    const namespace = this.namespace(block.namespace);
    entries.varint(namespace);
    entries.varint(block.lowGroup);
    entries.varint(block.highGroup - block.lowGroup);
    entries.varint(block.count);
    entries.varint(block.length);
    entries.ensure(4);
    entries.view.setUint32(entries.length, block.crc, true);
    entries.length += 4;
    // Each property by its name: copying them as they come takes longer than encoding the entry.
    this.blocks.push({
      offset: this.offset,
      length: block.length,
      crc: block.crc,
      layout: block.layout,
      kind: block.kind,
      namespace: this.namespaceList[namespace]!,
      lowGroup: block.lowGroup,
      highGroup: block.highGroup,
      count: block.count,
    });
    this.offset += frameBytes + block.length;
  }

  /** What a reader of the file will find. */
  get index(): Pick<SegmentIndex, 'layouts' | 'blocks'> {
    return { layouts: this.layouts, blocks: this.blocks };
  }

  /** Appends the footer. */
  write(out: ByteWriter): void {
    const layouts = new TextEncoder().encode(JSON.stringify(this.layouts.map(layoutFields)));
    out.varint(layouts.length);
    out.raw(layouts);
    out.varint(this.namespaceIndexes.size);
    out.raw(this.namespaces.bytes.subarray(0, this.namespaces.length));
    out.varint(this.blocks.length);
    out.raw(this.entries.bytes.subarray(0, this.entries.length));
  }

  private indexOfLayout(layout: StateLayout): number {
    const fields = layoutFields(layout);
    const text = JSON.stringify(fields);
    const known = this.layoutIndexes.get(text);
    if (known !== undefined) return known;
    this.layoutIndexes.set(text, this.layouts.length);
    return this.layouts.push(layoutOf(fields)) - 1;
  }

  private namespace(namespace: readonly number[]): number {
    const last = this.namespaceList[this.lastNamespace];
    if (last === undefined || !isSame(last, namespace)) {
      this.lastNamespace = this.indexOfNamespace(namespace);
    }
    return this.lastNamespace;
  }

  private indexOfNamespace(namespace: readonly number[]): number {
    const text = namespace.join();
    const known = this.namespaceIndexes.get(text);
    if (known !== undefined) return known;
    this.namespaces.varint(namespace.length);
    for (const number of namespace) this.namespaces.float64(plusZero(number));
    this.namespaceIndexes.set(text, this.namespaceList.length);
    return this.namespaceList.push(namespace.map(plusZero)) - 1;
  }
}

/** As in keys, −0 is 0. */
const plusZero = (number: number): number => number + 0;

/** NaN is no number of a namespace that is met twice; it would only be looked up. */
function isSame(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/**
 * Reads the footer of a file whose footer begins at `footerOffset`.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT`; other errors for what is no JSON
 */
export function readFooter(
  bytes: Uint8Array,
  footerOffset: number,
): Pick<SegmentIndex, 'layouts' | 'blocks'> {
  const reader = new ByteReader(bytes);
  const layouts = readLayouts(reader);
  const namespaces = readNamespaces(reader);
  const blocks: BlockEntry[] = [];
  let offset = headerBytes;
  for (let left = reader.count(11); left > 0; left -= 1) {
    const entry = readEntry(reader, offset, layouts, namespaces);
    blocks.push(entry);
    offset += frameBytes + entry.length;
    if (offset > footerOffset) reader.corrupt(`block ${blocks.length - 1} reaches into the footer`);
  }
  if (offset !== footerOffset) reader.corrupt(`blocks end at ${offset}, not at the footer`);
  if (reader.remaining > 0) reader.corrupt('bytes follow the last entry');
  return { layouts, blocks };
}

function readEntry(
  reader: ByteReader,
  offset: number,
  layouts: readonly StateLayout[],
  namespaces: readonly (readonly number[])[],
): BlockEntry {
  const layout = reader.varint();
  const kind = blockKinds[reader.u8()];
  const namespace = namespaces[reader.varint()];
  const lowGroup = reader.varint();
  const highGroup = lowGroup + reader.varint();
  const count = reader.varint();
  const length = reader.varint();
  const crc = reader.view.getUint32(reader.advance(4), true);
  if (layout >= layouts.length || kind === undefined || namespace === undefined) {
    return reader.corrupt('an entry names a layout, kind or namespace that is not there');
  }
  const isDrop = kind === 'drop';
  if (isDrop ? count + length + highGroup > 0 : count === 0 || count > blockRowsMax) {
    return reader.corrupt(`a block of ${kind} with ${count} rows in ${length} bytes`);
  }
  return { offset, length, crc, layout, kind, namespace, lowGroup, highGroup, count };
}

function readNamespaces(reader: ByteReader): readonly (readonly number[])[] {
  return Array.from({ length: reader.count(1) }, () =>
    Array.from({ length: reader.count(8) }, () => reader.float64()),
  );
}

function readLayouts(reader: ByteReader): readonly StateLayout[] {
  const length = reader.varint();
  const start = reader.advance(length);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    reader.bytes.subarray(start, start + length),
  );
  const layouts: unknown = JSON.parse(text);
  if (!Array.isArray(layouts) || !layouts.every(isLayout)) {
    return reader.corrupt('the table of layouts is none');
  }
  return layouts.map(layoutOf);
}

/** A layout as it is written: an array, so that the order of properties does not matter. */
export type LayoutFields = readonly [
  operator: string,
  state: string,
  kind: string,
  version: number,
  shape: string,
  numbers: number,
  blobs: number,
  identityNumbers: number,
  identityBlobs: number,
];

function layoutFields(layout: StateLayout): LayoutFields {
  const { operator, state, kind, version, shape } = layout;
  const { numbers, blobs, identityNumbers, identityBlobs } = layout;
  return [operator, state, kind, version, shape, numbers, blobs, identityNumbers, identityBlobs];
}

export function layoutOf(fields: LayoutFields): StateLayout {
  const [operator, state, kind, version, shape, ...columns] = fields;
  const [numbers, blobs, identityNumbers, identityBlobs] = columns;
  return {
    operator,
    state,
    kind,
    version,
    shape,
    numbers,
    blobs,
    identityNumbers,
    identityBlobs,
  };
}

function isLayout(value: unknown): value is LayoutFields {
  if (!Array.isArray(value) || value.length !== 9) return false;
  const [operator, state, kind, version, shape, numbers, blobs, ids, idBlobs] = value;
  return (
    [operator, state, kind, shape].every((text) => typeof text === 'string') &&
    typeof version === 'number' &&
    isCount(numbers, stateLimits.segmentColumnsMax) &&
    isCount(blobs, stateLimits.segmentColumnsMax) &&
    isCount(ids, numbers) &&
    isCount(idBlobs, blobs)
  );
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}
