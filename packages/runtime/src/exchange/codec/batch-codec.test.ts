import { setFlagsFromString } from 'node:v8';
import { fidelityFailures, recordCodecFidelityCases, sameRecord } from '@millrace/core/internal';
import { type Column, type Key, RecordBatch } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runtimeLimits } from '../../limits.js';
import { batchDecoder } from './batch-decoder.js';
import { type BatchEncoderOptions, batchEncoder } from './batch-encoder.js';
import { isPackable } from './packed-block.js';

/** What a batch is made of, in the shortest form to write down. */
interface Rows {
  readonly values?: readonly unknown[];
  readonly timestamps?: readonly number[];
  readonly kinds?: readonly number[];
  readonly keys?: readonly Key[];
  readonly keyGroups?: readonly number[];
  readonly columns?: readonly (readonly unknown[] | Float64Array)[];
}

function batchOf({ values, timestamps, kinds, keys, keyGroups, columns }: Rows): RecordBatch {
  const count = (values ?? timestamps ?? keys ?? columns?.[0])?.length ?? 0;
  const batch = new RecordBatch(Math.max(count, 1));
  batch.count = count;
  batch.values = values === undefined ? new Array(count) : [...values];
  batch.timestamps = Float64Array.from({ length: count }, (_, row) => timestamps?.[row] ?? row);
  if (kinds !== undefined) batch.kinds = Uint8Array.from(kinds);
  if (keys !== undefined) batch.keys = [...keys];
  if (keyGroups !== undefined) batch.keyGroups = Uint16Array.from(keyGroups);
  if (columns !== undefined) {
    batch.columns = columns.map(
      (column): Column => (column instanceof Float64Array ? column : [...column]),
    );
  }
  return batch;
}

/** All that a receiver sees of a batch. */
function contentOf(batch: RecordBatch): unknown {
  const { count } = batch;
  return {
    count,
    values: Array.from({ length: count }, (_, row) => batch.values[row]),
    timestamps: [...batch.timestamps.subarray(0, count)],
    kinds: batch.kinds?.slice(0, count),
    keys: batch.keys?.slice(0, count),
    keyGroups: batch.keyGroups?.slice(0, count),
    columns: batch.columns.map((column) =>
      column instanceof Float64Array
        ? { numbers: [...column.subarray(0, count)] }
        : Array.from({ length: count }, (_, row) => column[row]),
    ),
  };
}

/** Names of properties in their order, of all objects within. */
function orderOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).map(([name, child]) => [name, orderOf(child)]);
}

const variants: readonly (readonly [string, BatchEncoderOptions])[] = [
  ['generated', {}],
  ['plain', { code: 'plain' }],
  ['msgpackr for what has no columns', { others: 'msgpackr' }],
  ['msgpackr for all', { values: 'whole', others: 'msgpackr' }],
  ["core's codec for all", { values: 'whole' }],
];

/** A channel: what its encoder and its decoder learn from one batch is there for the next. */
function channel(options: BatchEncoderOptions = {}): (rows: Rows) => RecordBatch {
  const encoder = batchEncoder(options);
  const decoder = batchDecoder({ code: options.code ?? 'generated' });
  const into = new RecordBatch();
  return (rows) => {
    decoder.decode(encoder.encode(batchOf(rows), 3), 3, into);
    return into;
  };
}

function check(send: (rows: Rows) => RecordBatch, rows: Rows): void {
  const sent = contentOf(batchOf(rows));
  const received = contentOf(send(rows));
  if (!sameRecord(received, sent)) expect(received).toEqual(sent);
  expect(sameRecord(received, sent)).toBe(true);
  expect(orderOf(received)).toEqual(orderOf(sent));
}

function cyclic(): object {
  const record: Record<string, unknown> = { amount: 5 };
  record.itself = record;
  return record;
}

const count = 40;
const rowsOf = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: count, maxLength: count });

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
  withUnicodeString: true,
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', '\ud83d', '0')),
});
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a', 'b', 'naïve', '漢字', '\ud83d', 'x'.repeat(300)),
);
const integer = fc.oneof(fc.integer(), fc.nat(100), fc.integer({ min: 1e12, max: 1e12 + 1e5 }));
const simple = fc.oneof(integer, fc.double(), text, fc.boolean(), fc.constantFrom(null, undefined));
const flat = fc.record({ z: integer, a: text, b: fc.double(), '0': fc.boolean(), c: simple });
const nested = fc.record({
  id: fc.bigInt(),
  at: fc.date({ noInvalidDate: false }),
  of: flat,
  items: fc.array(fc.oneof(flat, simple)),
  any: anything,
});
const zeros = fc.constantFrom(0, -0, 1);
const few = fc.constantFrom('Google', 'Apple', '漢字', '');
const values = fc.oneof(
  ...[few, zeros, integer, fc.double(), text, fc.boolean(), simple, flat, nested, anything].map(
    rowsOf,
  ),
  rowsOf(fc.oneof(flat, nested, anything)),
);
const tuple = fc.oneof(fc.string(), fc.integer(), fc.bigInt(), fc.constantFrom(null, true));
const keys = fc.oneof(
  rowsOf<Key>(few),
  ...[fc.integer(), fc.double(), fc.string()].map((one) => rowsOf<Key>(one)),
  rowsOf<Key>(fc.oneof(tuple, fc.tuple(tuple, fc.tuple(tuple)), fc.date())),
);
const numbers = fc.oneof(...[integer, fc.double(), zeros, fc.constant(-0)].map(rowsOf));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const anyRows: fc.Arbitrary<Rows> = fc
  .record({
    values: optional(values),
    timestamps: numbers,
    kinds: optional(rowsOf(fc.nat(3))),
    keys: optional(keys),
    keyGroups: optional(fc.oneof(rowsOf(fc.nat(255)), rowsOf(fc.nat(32_767)))),
    columns: fc.array(
      fc.oneof(
        numbers.map((column) => Float64Array.from(column)),
        values,
      ),
      { maxLength: 3 },
    ),
  })
  .map((rows) => rows as Rows);

describe.each(variants)('the codec of batches (%s)', (_name, options) => {
  test('returns any batch as it was, whatever batches came before', () => {
    const send = channel(options);
    const runs = { numRuns: 150 };
    fc.assert(
      fc.property(anyRows, (rows) => check(send, rows)),
      runs,
    );
  });

  test('passes the fidelity suite', () => {
    const encode = (record: unknown) =>
      batchEncoder(options).encode(batchOf({ values: [record] }), 0);
    const decode = (bytes: Uint8Array) => {
      const into = new RecordBatch();
      batchDecoder({ code: options.code ?? 'generated' }).decode(bytes, 0, into);
      return into.values[0];
    };
    expect(fidelityFailures({ encode, decode })).toEqual([]);
  });

  test('keeps all values of the fidelity suite in one batch, and in a property', () => {
    const cases = recordCodecFidelityCases().map(({ value }) => value);
    check(channel(options), { values: cases });
    check(channel(options), { values: cases.map((value) => ({ first: 1, value, last: 'z' })) });
  });

  test.each([
    ['a function', { card: { number: () => 1 }, amount: 5 }, 'card.number'],
    ['a hole', { card: { number: 1 }, amount: new Array(2) }, 'amount'],
    ['an instance', { card: new (class Card {})(), amount: 5 }, 'card'],
    ['what merely inherits', { card: Object.create(Date.prototype), amount: 5 }, 'card'],
    ['what contains itself', cyclic(), 'itself'],
  ])('refuses %s at any time, naming the path within the record', (_what, bad, field) => {
    const encoder = batchEncoder(options);
    const good = { card: { number: 1 }, amount: 5 };
    for (let sent = 0; sent < 2_000; sent += 500) {
      encoder.encode(batchOf({ values: new Array(500).fill(good) }), 0);
    }
    try {
      encoder.encode(batchOf({ values: [good, bad] }), 0);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_UNSERIALISABLE_VALUE', field });
    }
  });

  test('goes on after a batch that it refused', () => {
    const encoder = batchEncoder(options);
    expect(() => encoder.encode(batchOf({ values: [{ a: 'x', b: Symbol('s') }] }), 0)).toThrow();
    const into = new RecordBatch();
    batchDecoder().decode(encoder.encode(batchOf({ values: [{ a: 'x', b: 1 }] }), 0), 0, into);
    expect(into.values[0]).toEqual({ a: 'x', b: 1 });
  });
});

describe('a frame', () => {
  test('leaves room for a header, in a buffer of its own', () => {
    const encoder = batchEncoder();
    const batch = batchOf({ values: [1, 2] });
    const [one, other] = [encoder.encode(batch, 12), encoder.encode(batch, 0)];
    expect(one.subarray(12)).toEqual(other);
    expect(one.byteOffset).toBe(0);
    expect(one.buffer.byteLength).toBe(one.length);
    expect(one.buffer).not.toBe(other.buffer);
  });

  test('can be read on its own', () => {
    const encoder = batchEncoder();
    const frames = [1, 2, 3].map((n) => encoder.encode(batchOf({ values: [{ n, s: 'x' }] }), 0));
    const into = new RecordBatch();
    batchDecoder({ code: 'plain' }).decode(frames[2]!, 0, into);
    expect(into.values[0]).toEqual({ n: 3, s: 'x' });
  });

  test('says where its records stood', () => {
    const batch = batchOf({ values: [{ a: 1 }, 'x'] });
    const one = { split: 'zahlungen/süd.csv', first: 'line 7', last: 'line 90' };
    const places = [one, { ...one, split: '漢字' }];
    const into = new RecordBatch();
    const decoder = batchDecoder();
    const received = decoder.decode(batchEncoder().encode(batch, 3, places), 3, into);
    expect(received?.between(0, 2)).toEqual(places);
    expect(into.values.slice(0, 2)).toEqual([{ a: 1 }, 'x']);
    expect(decoder.decode(batchEncoder().encode(batch, 0), 0, into)).toBeUndefined();
    const many = new Array(runtimeLimits.framePlacesMax + 1).fill(one);
    expect(decoder.decode(batchEncoder().encode(batch, 0, many), 0, into)).toBeUndefined();
  });

  test.each([125, 126, 127, 252, 253, 254, 255, 256])(
    'ends its keys where they end, with a place of %i characters behind them',
    (length) => {
      // Canonical keys are the last part but the places when a batch has no values.
      const keys: Key[] = [1n, 'ends with a zero\0'];
      const place = { split: 's'.repeat(length - 2), first: '', last: '' };
      const into = new RecordBatch();
      const frame = batchEncoder().encode(batchOf({ keys }), 0, [place]);
      expect(batchDecoder().decode(frame, 0, into)?.between(0, 2)).toEqual([place]);
      expect(into.keys?.slice(0, 2)).toEqual(keys);
    },
  );

  test('of a projection carries no values', () => {
    const rows = new Array(512).fill(0).map((_, row) => row);
    const batch = batchOf({ keys: rows, columns: [Float64Array.from(rows)] });
    batch.timestamps = Float64Array.from(rows, (row) => 1_700_000_000_000 + row);
    expect(batchEncoder().encode(batch, 0).length).toBeLessThan(512 * 6 + 64);
    const received = channel()({ keys: rows, columns: [Float64Array.from(rows)] });
    expect(received.values.slice(0, 512)).toEqual(new Array(512).fill(undefined));
  });

  test('uses arrays of the batch that it fills, and makes longer ones', () => {
    const into = new RecordBatch(8);
    into.keys = [];
    const { timestamps, keys: array } = into;
    const decode = (length: number) =>
      batchDecoder().decode(
        batchEncoder().encode(batchOf({ keys: new Array(length).fill('k') }), 0),
        0,
        into,
      );
    decode(8);
    expect(into.timestamps).toBe(timestamps);
    expect(into.keys).toBe(array);
    decode(9);
    expect(into.count).toBe(9);
    expect(into.capacity).toBeGreaterThanOrEqual(9);
  });

  test('has all classes of rows in one column, with as many shapes as there may be', () => {
    const shapes = Array.from({ length: 13 }, (_, i) => ({ [`p${i}`]: i }));
    const values = [...shapes, 1, 'a', null, ['list'], new Date(0), 7n];
    check(channel(), { values });
    check(channel(), { values: values.map((v) => ({ v })) });
  });

  test('holds as many rows as one record may emit, and no more', () => {
    const { frameRowsMax } = runtimeLimits;
    const most = new Array(frameRowsMax).fill({ a: 1 });
    check(channel(), { values: most });
    expect(() => batchEncoder().encode(batchOf({ values: [...most, 1] }), 0)).toThrow(
      /ERR_INVARIANT/,
    );
  });

  test('of a batch without rows has none', () => {
    const batch = batchOf({ values: [{ left: 'over' }], columns: [[1n]] });
    batch.count = 0;
    const into = new RecordBatch();
    batchDecoder().decode(batchEncoder().encode(batch, 0), 0, into);
    expect(into.count).toBe(0);
    expect(into.columns).toHaveLength(1);
  });
});

describe('shapes', () => {
  test('of ever new properties are carried, and forgotten', () => {
    const send = channel();
    for (let batch = 0; batch < 150; batch += 1) {
      const rows = new Array(20).fill(0).map((_, row) => ({ [`p${batch * 7 + row}`]: row }));
      check(send, { values: rows });
    }
  });

  test('in several levels deeper than columns go are carried', () => {
    let value: unknown = { leaf: 1 };
    for (let level = 0; level < 20; level += 1) value = level % 2 ? { value } : [value];
    check(channel(), { values: [value, value] });
  });

  test('that share objects many times are refused once that makes them too large', () => {
    let value: unknown = { text: 'x'.repeat(1_000) };
    for (let level = 0; level < 40; level += 1) value = { a: value, b: value };
    expect(() => batchEncoder().encode(batchOf({ values: [value] }), 0)).toThrow(
      /ERR_UNSERIALISABLE_VALUE/,
    );
  });

  test.each([
    ['generated', 3],
    ['generated', runtimeLimits.shapePropertiesMax],
    ['plain', 30],
    ['plain', runtimeLimits.shapePropertiesMax],
  ] as const)('give fast objects of one class (%s, %i properties)', (code, properties) => {
    setFlagsFromString('--allow-natives-syntax');
    const sameMap = new Function('a', 'b', 'return %HasFastProperties(a) && %HaveSameMap(a, b)');
    setFlagsFromString('--no-allow-natives-syntax');
    const names = new Array(properties).fill(0).map((_, at) => `p${at}`);
    const record = (row: number) =>
      Object.fromEntries(names.map((name, at) => [name, at % 2 ? row : `${row}`]));
    const send = channel({ code });
    send({ values: [1, 2, 3].map(record) });
    const { values: objects, count: rows } = send({ values: [4, 5, 6].map(record) });
    for (let row = 0; row < rows; row += 1) expect(sameMap(objects[0], objects[row])).toBe(true);
  });
});

describe('what msgpackr is given', () => {
  test.each([[-0], ['\ud83d'], [{ a: [-0] }], [[new Set()]], [new Array(1)], [1n]])(
    'not %o',
    (v) => {
      expect(isPackable(v)).toBe(false);
    },
  );

  test.each([[0], ['👍'], [{ a: [Number.NaN, undefined] }], [null], [[[]]]])('%o', (value) => {
    expect(isPackable(value)).toBe(true);
  });
});
