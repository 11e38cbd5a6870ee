import {
  type ByteReader,
  type ByteWriter,
  RecordReader,
  RecordWriter,
} from '@millrace/core/internal';

/** What objects lose without a word is for the check of an edge's first records to find. */
const writer = new RecordWriter({ properties: 'trusted' });

/**
 * Writes values of any kind by core's codec of records.
 *
 * @throws MillraceError `ERR_UNSERIALISABLE_VALUE`
 */
export function writeRecords(out: ByteWriter, values: readonly unknown[], count: number): void {
  writer.reset();
  for (let row = 0; row < count; row += 1) writer.write(values[row]);
  out.varint(writer.byteLength);
  out.raw(writer.peek());
}

/** Reads what {@link writeRecords} wrote. */
export function readRecords(reader: ByteReader, count: number): unknown[] {
  const length = reader.varint();
  const start = reader.advance(length);
  const records = new RecordReader(reader.bytes.subarray(start, start + length));
  const values = new Array<unknown>(count);
  for (let row = 0; row < count; row += 1) values[row] = records.read();
  records.assertDone();
  return values;
}
