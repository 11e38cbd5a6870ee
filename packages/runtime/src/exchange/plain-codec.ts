import { decodeRecord, encodeRecord } from '@millrace/core/internal';
import type { Column, Key, RecordBatch } from '@millrace/core/spi';

export interface BatchEncoder {
  encode(batch: RecordBatch, headBytes: number): Uint8Array<ArrayBuffer>;
}
export interface BatchDecoder {
  decode(bytes: Uint8Array, from: number, into: RecordBatch): void;
}
export const batchEncoder = (): BatchEncoder => ({
  encode({ values, timestamps, kinds, keys, columns, count }, headBytes) {
    const bytes = encodeRecord([
      count,
      Array.from({ length: count }, (_, i) => values[i]),
      timestamps.slice(0, count),
      kinds?.slice(0, count),
      keys?.slice(0, count),
      columns.map((column) => column.slice(0, count)),
    ]);
    const frame = new Uint8Array(headBytes + bytes.length);
    frame.set(bytes, headBytes);
    return frame;
  },
});
export const batchDecoder = (): BatchDecoder => ({
  decode(bytes, from, into) {
    const [count, values, timestamps, kinds, keys, columns] = decodeRecord(
      bytes.subarray(from),
    ) as [number, unknown[], Float64Array, Uint8Array | undefined, Key[] | undefined, Column[]];
    into.values = values;
    into.timestamps = timestamps;
    into.kinds = kinds;
    into.keys = keys;
    into.columns = columns;
    into.count = count;
  },
});
