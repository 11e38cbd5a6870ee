import { RecordBatch } from '@millrace/core/spi';
import { expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { collectSink } from './collect-sink.js';

function batchOf(...values: readonly unknown[]): RecordBatch {
  const batch = new RecordBatch();
  for (const value of values) batch.emit(value, 0);
  return batch;
}

test('keeps what arrives from all writers, until it is cleared', () => {
  const out = collectSink<number>();
  const { records } = out;
  out.createWriter(testContext()).write(batchOf(1, 2));
  out.createWriter(testContext()).write(batchOf(3));
  expect(records).toEqual([1, 2, 3]);
  out.clear();
  expect(records).toEqual([]);
});

test('fails rather than hold more than allowed', () => {
  const writer = collectSink({ recordsMax: 2 }).createWriter(testContext());
  writer.write(batchOf(1, 2));
  expect(() => writer.write(batchOf(3))).toThrow(/ERR_SINK_FAILED.*more than 2.*recordsMax/);
});
