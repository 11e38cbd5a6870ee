import type { Key } from '@millrace/core';
import {
  ByteWriter,
  decodeKey,
  decodeRecord,
  RecordWriter,
  writeKey,
} from '@millrace/core/internal';
import type { HeapKeyTable } from '../heap-key-table.js';
import type { SpillRange } from './spill-store.js';

const tableBytes = 4;
const lengthBytes = 4;

/**
 * Rows as bytes, for a store that lives as long as this process: numbers as this machine has them,
 * then the references, each with its length ahead of it. Keys are the table's number, then their
 * canonical bytes.
 */
export class RowCodec {
  private readonly writer = new ByteWriter();
  private readonly record = new RecordWriter({ properties: 'trusted' });
  private readonly numbers: Float64Array;
  private readonly numberBytes: Uint8Array;

  constructor(numberStride: number) {
    this.numbers = new Float64Array(numberStride);
    this.numberBytes = new Uint8Array(this.numbers.buffer);
  }

  keyBytes(table: number, key: Key): Uint8Array {
    const { writer } = this;
    writer.reset();
    writer.ensure(tableBytes);
    writer.view.setUint32(0, table);
    writer.length = tableBytes;
    writeKey(writer, key);
    return this.copy();
  }

  keyOf(bytes: Uint8Array): Key {
    return decodeKey(bytes.subarray(tableBytes));
  }

  /** The row in a slot. */
  rowBytes(table: HeapKeyTable, slot: number): Uint8Array {
    const { writer, numbers, record } = this;
    const { numberStride, refStride } = table;
    for (let i = 0; i < numberStride; i += 1) numbers[i] = table.numbers[slot * numberStride + i]!;
    writer.reset();
    writer.raw(this.numberBytes);
    for (let j = 0; j < refStride; j += 1) {
      record.reset();
      record.write(table.refs[slot * refStride + j]);
      const bytes = record.peek();
      writer.ensure(lengthBytes);
      writer.view.setUint32(writer.length, bytes.length);
      writer.length += lengthBytes;
      writer.raw(bytes);
    }
    return this.copy();
  }

  /** Bytes of the references of the row in a slot, and of its key unless that is a number. */
  valueBytes(table: HeapKeyTable, slot: number): number {
    const { writer, record } = this;
    const key = table.keyAt(slot);
    writer.reset();
    if (typeof key !== 'number') writeKey(writer, key);
    record.reset();
    for (let j = 0; j < table.refStride; j += 1)
      record.write(table.refs[slot * table.refStride + j]);
    return writer.length + record.peek().length;
  }

  /** Fills the row in a slot. */
  readRow(bytes: Uint8Array, table: HeapKeyTable, slot: number): void {
    const { numbers, numberBytes } = this;
    const { numberStride, refStride } = table;
    numberBytes.set(bytes.subarray(0, numberBytes.length));
    for (let i = 0; i < numberStride; i += 1) table.numbers[slot * numberStride + i] = numbers[i]!;
    if (refStride > 0) readRefs(bytes, numberBytes.length, table, slot * refStride);
  }

  private copy(): Uint8Array {
    const { bytes, length } = this.writer;
    // From Node's pool: a buffer of its own for each key would cost more than all else.
    const copy = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i += 1) copy[i] = bytes[i]!;
    return copy;
  }
}

/** All keys of a table. */
export function rangeOf(table: number): SpillRange {
  const bound = (number: number): Uint8Array => {
    const bytes = Buffer.alloc(tableBytes);
    bytes.writeUInt32BE(number);
    return bytes;
  };
  return { from: bound(table), to: bound(table + 1) };
}

function readRefs(bytes: Uint8Array, from: number, table: HeapKeyTable, firstRef: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  for (let j = 0; j < table.refStride; j += 1) {
    const begin = at + lengthBytes;
    at = begin + view.getUint32(at);
    table.refs[firstRef + j] = decodeRecord(bytes.subarray(begin, at));
  }
}
