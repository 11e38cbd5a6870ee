import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MillraceError } from '../errors/millrace-error.js';
import {
  fidelityFailures,
  recordCodecFidelityCases,
  recordCodecRefusalCases,
} from './fidelity-suite.js';
import { decodeRecord, encodeRecord } from './record-codec.js';
import { RecordReader } from './record-reader.js';
import { recordBytesMax, recordDepthMax } from './record-tags.js';
import { RecordWriter } from './record-writer.js';
import { sameRecord } from './same-record.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

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

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** A record whose encoding doubles with every level. */
function doubling(levels: number): unknown {
  let value: unknown = 'x'.repeat(1 << 20);
  for (let level = 0; level < levels; level++) value = [value, value];
  return value;
}

describe('the codec of records', () => {
  test.each(recordCodecFidelityCases())('keeps $name', ({ value }) => {
    expect(sameRecord(decodeRecord(encodeRecord(value)), value)).toBe(true);
  });

  test.each(recordCodecRefusalCases())('refuses $name, naming $field', ({ value, field }) => {
    try {
      encodeRecord(value);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_UNSERIALISABLE_VALUE', field });
    }
  });

  test('passes the suite that any codec can be put through', () => {
    expect(fidelityFailures({ encode: encodeRecord, decode: decodeRecord })).toEqual([]);
  });

  test('keeps any record', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(sameRecord(decodeRecord(encodeRecord(record)), record)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('keeps the order of properties', () => {
    const record = { z: 1, a: 2, m: 3 };
    expect(Object.keys(decodeRecord(encodeRecord(record)) as object)).toEqual(['z', 'a', 'm']);
  });

  test('does not let a record set a prototype', () => {
    const record = decodeRecord(encodeRecord(JSON.parse('{"__proto__": {"admin": true}}')));
    expect((record as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  });

  test('shares no memory with the bytes', () => {
    const bytes = encodeRecord(new Uint8Array([1, 2, 3]));
    const decoded = decodeRecord(bytes);
    bytes.fill(0);
    expect(decoded).toEqual(new Uint8Array([1, 2, 3]));
  });

  test('accepts values within values to the limit, and no deeper', () => {
    expect(decodeRecord(encodeRecord(nested(recordDepthMax)))).toEqual(nested(recordDepthMax));
    expect(() => encodeRecord(nested(recordDepthMax + 1))).toThrow(/more than 256 values within/);
  });

  test('refuses a small record whose encoding would be huge', () => {
    expect(() => encodeRecord(doubling(60))).toThrow(`longer than ${recordBytesMax} bytes`);
  });

  test('refuses a record that cannot even be read', () => {
    const record = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new Error('no');
        },
      },
    );
    expect(() => encodeRecord({ record })).toThrow(MillraceError);
  });
});

describe('the format', () => {
  test.each<[unknown, string]>([
    [undefined, '00'],
    [null, '01'],
    [false, '02'],
    [true, '03'],
    [0, '80'],
    [127, 'ff'],
    [128, '048002'],
    [-1, '0401'],
    [2 ** 31 - 1, '04feffffff0f'],
    [-(2 ** 31), '04ffffffff0f'],
    [-0, '050000000000000080'],
    [Number.NaN, '05000000000000f87f'],
    [0.1, '059a9999999999b93f'],
    [-2n, '06feffffffffffffff'],
    [2n ** 64n, '0709010000000000000000'],
    [-(2n ** 64n), '0809010000000000000000'],
    ['aé', '090461e9'],
    ['漢', '0903226f'],
    ['\ud83d', '09033dd8'],
    [new Date(0), '0a0000000000000000'],
    [[1, [null]], '0b02810b0101'],
    [{ a: 1, b: 'x' }, '0c0202618102620902' + '78'],
    [JSON.parse('{"__proto__":1}'), '0c01125f5f70726f746f5f5f81'],
    [Object.create(null), '0d00'],
    [new Map([['a', 1]]), '0e0109026181'],
    [new Set([1]), '0f0181'],
    [new Uint8Array([9]).buffer, '100109'],
    [new Uint8Array([9]), '200109'],
    [new Int8Array([9]), '210109'],
    [new Uint8ClampedArray([9]), '220109'],
    [new Uint16Array([9]), '23020900'],
    [new Int16Array([9]), '24020900'],
    [new Uint32Array([9]), '250409000000'],
    [new Int32Array([9]), '260409000000'],
    [new Float32Array([1]), '27040000803f'],
    [new Float64Array([1]), '2808000000000000f03f'],
    [new BigInt64Array([9n]), '29080900000000000000'],
    [new BigUint64Array([9n]), '2a080900000000000000'],
  ])('of %o is %s, for ever', (value, bytes) => {
    expect(hex(encodeRecord(value))).toBe(bytes);
    expect(sameRecord(decodeRecord(Buffer.from(bytes, 'hex')), value)).toBe(true);
  });
});

describe('damaged bytes', () => {
  function decodesOrRefuses(bytes: Uint8Array): void {
    try {
      decodeRecord(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_CODEC_CORRUPT' });
    }
  }

  test('decode to something or are refused, never worse', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(anyRecord, damage, (record, changes) => {
        const bytes = encodeRecord(record);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        decodesOrRefuses(bytes);
      }),
      { numRuns: 3_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), decodesOrRefuses), { numRuns: 3_000 });
  });

  test('that end too early are refused', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), (record, nat) => {
        const bytes = encodeRecord(record);
        const cut = bytes.subarray(0, nat % bytes.length);
        expect(() => decodeRecord(cut)).toThrow(/ERR_CODEC_CORRUPT/);
      }),
    );
  });

  test.each([
    ['no bytes', ''],
    ['an unknown tag', '11'],
    ['bytes after the record', '8080'],
    ['a text longer than the bytes', '09feffffff0f61'],
    ['an array longer than the bytes', '0bffffffff0f'],
    ['a Map longer than the bytes', '0effffffff0f'],
    ['a typed array longer than the bytes', '28ffffffff0f'],
    ['half an element of a typed array', '230109'],
    ['an integer of more than 32 bits', '04ffffffff1f'],
    ['values within values without end', `${'0b01'.repeat(recordDepthMax + 1)}80`],
  ])('are refused: %s', (_name, bytes) => {
    expect(() => decodeRecord(Buffer.from(bytes, 'hex'))).toThrow(/ERR_CODEC_CORRUPT/);
  });

  test('with a false count in each of many nested arrays allocate little', () => {
    const bytes = Buffer.alloc(1_000_000, 0x80);
    for (let level = 0; level < recordDepthMax; level++)
      bytes.set([0x0b, 0xff, 0xff, 0x38], level * 4);
    expect(() => decodeRecord(bytes)).toThrow(/ERR_CODEC_CORRUPT/);
  });
});

describe('a writer of many records', () => {
  function readAll(bytes: Uint8Array): unknown[] {
    const reader = new RecordReader(bytes);
    const records: unknown[] = [];
    while (!reader.done) records.push(reader.read());
    return records;
  }

  test('writes what a reader reads, in order, also after a reset', () => {
    const writer = new RecordWriter();
    fc.assert(
      fc.property(fc.array(anyRecord), (records) => {
        writer.reset();
        for (const record of records) writer.write(record);
        expect(writer.byteLength).toBe(writer.copy().length);
        expect(hex(writer.peek())).toBe(hex(writer.copy()));
        expect(sameRecord(readAll(writer.copy()), records)).toBe(true);
      }),
    );
  });

  test('keeps the records before one that it refuses', () => {
    const writer = new RecordWriter();
    writer.write({ a: 1 });
    expect(() => writer.write({ b: 'long '.repeat(1_000), c: () => 1 })).toThrow(/field c/);
    writer.write({ d: 1 });
    expect(readAll(writer.copy())).toEqual([{ a: 1 }, { d: 1 }]);
  });

  test('that trusts properties still refuses values of other kinds', () => {
    const writer = new RecordWriter({ properties: 'trusted' });
    writer.write({ [Symbol('lost')]: 1 });
    expect(() => writer.write({ card: new (class Card {})() })).toThrow(/an instance of Card/);
    expect(readAll(writer.copy())).toEqual([{}]);
  });
});
