import { fidelityFailures, sameRecord } from '@millrace/core/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packRecord, unpackRecord } from './msgpackr-codec.js';

const anyRecord = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
  withUnicodeString: true,
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', '\ud83d', '0')),
});

describe('the codec of records by msgpackr', () => {
  test('passes the fidelity suite', () => {
    expect(fidelityFailures({ encode: packRecord, decode: unpackRecord })).toEqual([]);
  });

  test('keeps any record', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(sameRecord(unpackRecord(packRecord(record)), record)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('refuses every change of its bytes', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, nat, flip) => {
        const bytes = packRecord(record);
        bytes[nat % bytes.length]! ^= flip;
        expect(() => unpackRecord(bytes)).toThrow(/ERR_CODEC_CORRUPT/);
      }),
    );
    fc.assert(
      fc.property(anyRecord, fc.nat(), (record, nat) => {
        const bytes = packRecord(record);
        const cut = bytes.subarray(0, nat % bytes.length);
        expect(() => unpackRecord(cut)).toThrow(/ERR_CODEC_CORRUPT/);
      }),
    );
  });
});
