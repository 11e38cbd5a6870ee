import { createHash } from 'node:crypto';
import { sameRecord } from '@millrace/core/internal';
import { RecordBatch } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { batchDecoder } from './batch-decoder.js';
import { batchEncoder } from './batch-encoder.js';

/** A batch with every form that the default encoder writes. */
function goldenBatch(): RecordBatch {
  const batch = new RecordBatch(4);
  for (const row of [0, 1, 2, 3]) {
    const value = {
      kind: 'bid',
      price: row * 300,
      ratio: row / 4,
      url: `page-${row}`,
      wide: `漢${row}`,
      isHot: row === 1,
      note: row % 2 === 0 ? null : row,
      at: new Date(row * 1e12),
      tags: row === 3 ? [] : ['a', 'b'],
      of: { big: BigInt(row), far: row * 2e9 },
    };
    batch.emitKind(value, 1_436_918_400_000 + row, row);
  }
  batch.keys = [1, -1, 70_000, 2 ** 31 - 1];
  batch.keyGroups = Uint16Array.from([1, 2, 300, 255]);
  batch.columns = [Float64Array.from([-0, 0.5, Number.NaN, 1]), [[1], 'x', undefined, 5n]];
  return batch;
}

const golden = [
  '010f0402020000402cf0e87442000102030100010203000501000000ffffffff70110100ffffff7f02010002',
  '002c01ff0000000000000000000080000000000000e03f000000000000f87f000000000000f03f0104040001',
  '02030701000000000000f03f0101000000000000f03f02000001780000050906050000000000000003310a08',
  '6b696e640a70726963650a726174696f0675726c08776964650a6973486f74086e6f74650461740874616773',
  '046f66020201066269640103000000000000000000002c015802840301000000000000000000000000000000',
  'd03f000000000000e03f000000000000e83f02000006706167652d30706167652d31706167652d3270616765',
  '2d33020105226f300005226f310005226f320005226f330000ff020302020402000100010001010200000000',
  '0000f03f000208000000000000000000000000a2941a6d42000000a2941a7d4200008079efd3854207020000',
  '0000000000000202020002000001616261626162030902066269670666617205240600000000000000000601',
  '00000000000000060200000000000000060300000000000000010000000000000000000000000065cddd4100',
  '00000065cded41000000c00b5af641',
].join('');

describe('the format of frames', () => {
  test('is this, for ever', () => {
    expect(Buffer.from(batchEncoder().encode(goldenBatch(), 0)).toString('hex')).toBe(golden);
  });

  test('is read, for ever', () => {
    const into = new RecordBatch(4);
    batchDecoder().decode(Buffer.from(golden, 'hex'), 0, into);
    const { values, timestamps, kinds, keys, keyGroups, columns, count } = goldenBatch();
    expect(into.count).toBe(count);
    expect(sameRecord(into.values, values)).toBe(true);
    expect(into.timestamps).toEqual(timestamps);
    expect([into.kinds, into.keys, into.keyGroups]).toEqual([kinds, keys, keyGroups]);
    expect(sameRecord(into.columns, columns)).toBe(true);
  });

  test('is the same with and without generated code', () => {
    const [one, other] = [batchEncoder(), batchEncoder({ code: 'plain' })];
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    const bytes = one.encode(goldenBatch(), 0);
    expect(digest(other.encode(goldenBatch(), 0))).toBe(digest(bytes));
  });
});
