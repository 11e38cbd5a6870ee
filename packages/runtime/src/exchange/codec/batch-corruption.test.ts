import { MillraceError } from '@millrace/core';
import { type Key, RecordBatch } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchDecoder } from './batch-decoder.js';
import { type BatchEncoderOptions, batchEncoder } from './batch-encoder.js';

const texts = ['Google', 'channel-4711', 'https://example.org/a/b/c?d=e', '漢字'];

/** Batches in which every form of every column occurs. */
function batches(): RecordBatch[] {
  const rows = new Array(32).fill(0).map((_, row) => row);
  const batch = (of: (row: number) => unknown, keyOf: (row: number) => Key): RecordBatch => {
    const made = new RecordBatch(32);
    for (const row of rows) made.emitKind(of(row), 1_700_000_000_000 + row * 70, row % 4);
    made.keys = rows.map(keyOf);
    made.keyGroups = Uint16Array.from(rows, (row) => row * 31);
    made.columns = [Float64Array.from(rows, (row) => row / 3), rows.map((row) => texts[row % 4])];
    return made;
  };
  const bid = (row: number) => ({
    kind: 'bid',
    price: row * 100_000,
    ratio: row / 7,
    url: `${texts[2]}&n=${row}`,
    isHot: row % 3 === 0,
    note: row % 2 === 0 ? null : texts[row % 4],
    at: new Date(row * 1e9),
    items: [{ sku: row }, { sku: row + 1 }],
    tags: new Set([row]),
  });
  return [
    batch(bid, (row) => row * 1_000_003),
    batch(bid, (row) => `card-${row}`),
    batch(
      (row) => [bid(row), row, texts[row % 4], -0, 2n ** 70n, undefined][row % 6],
      (row) => [row, `${row}`, null],
    ),
    batch(
      () => undefined,
      () => 7,
    ),
  ];
}

const variants: readonly BatchEncoderOptions[] = [
  {},
  { others: 'msgpackr' },
  { values: 'whole' },
  { values: 'whole', others: 'msgpackr' },
];
const frames = variants.flatMap((options) => {
  const encoder = batchEncoder(options);
  const places = [{ split: 'süd.csv', first: 'line 7', last: 'line 90' }];
  return batches().map((batch) => encoder.encode(batch, 0, places));
});

/** One decoder for all: what damaged frames leave behind in it must do no harm. */
const decoder = batchDecoder();

function decodesOrRefuses(bytes: Uint8Array): void {
  const into = new RecordBatch();
  try {
    decoder.decode(bytes, 0, into);
    expect(into.count).toBeLessThanOrEqual(into.capacity);
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'ERR_CODEC_CORRUPT') throw error;
  }
}

const anyFrame = fc.constantFrom(...frames);

describe('a damaged frame', () => {
  test('decodes to something or is refused, never worse', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(anyFrame, damage, (frame, changes) => {
        const bytes = frame.slice();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        decodesOrRefuses(bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  test('near its head, where counts and forms are, is no worse', () => {
    const head = fc.uint8Array({ minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(anyFrame, fc.nat(60), head, (frame, at, damage) => {
        const bytes = frame.slice();
        bytes.set(damage.subarray(0, bytes.length - at), at);
        decodesOrRefuses(bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  test('that ends too early, or goes on, is refused', () => {
    for (const frame of frames) {
      for (let length = 0; length < frame.length; length += 1 + (length >> 4)) {
        expect(() => decoder.decode(frame.slice(0, length), 0, new RecordBatch())).toThrow(
          /ERR_CODEC_CORRUPT/,
        );
      }
      const longer = new Uint8Array(frame.length + 1);
      longer.set(frame);
      expect(() => decoder.decode(longer, 0, new RecordBatch())).toThrow(/ERR_CODEC_CORRUPT/);
    }
  });

  test('leaves the decoder as it was for the next one', () => {
    const [first] = frames;
    const into = new RecordBatch();
    decoder.decode(first!, 0, into);
    const { price } = into.values[5] as { readonly price: number };
    expect(price).toBe(500_000);
  });

  // Version, parts, rows, columns, then the column of timestamps: one constant.
  const constant = '010000000000000000';
  test.each([
    ['no bytes', '', 'one more byte expected'],
    ['an unknown version', `02010100${constant}`, 'version 2'],
    ['unknown parts', `01800100${constant}`, 'unknown parts'],
    ['more rows than a frame may have', `0100ffffffff0f00${constant}`, '4294967295 rows'],
    ['more columns than bytes', `010001ffff03${constant}`, '65535 is too large'],
    [
      'an unknown form of numbers',
      `010001000900${'00'.repeat(8)}`,
      '9 is not the form of a column of numbers',
    ],
    [
      'an unknown form of values',
      `01010100${constant}63`,
      '99 is not the form of a column of values',
    ],
    [
      'lists that are too long',
      `01010100${constant}0701000000000000f07e00`,
      'arrays that are too long',
    ],
    [
      'a list of a length below zero',
      `01010100${constant}0701000000000000f0bf00`,
      '-1 is no length',
    ],
    [
      'a list within itself too often',
      `01010100${constant}${`07${constant}`.repeat(12)}0000`,
      'nested too deeply',
    ],
    [
      'a mixed column within one',
      `01010100${constant}040100040100${'00'.repeat(8)}`,
      'too many classes',
    ],
    [
      'a shape with __proto__',
      `01010100${constant}030b01125f5f70726f746f5f5f0000`,
      'not the properties of a shape',
    ],
    [
      'a shape with a property twice',
      `01010100${constant}0305020261026100000000`,
      'a property twice',
    ],
    [
      'a text longer than the bytes',
      `01010100${constant}0201feffffff0f61`,
      '2147483647 bytes expected',
    ],
    ['a dictionary of nothing', `01010100${constant}020200`, 'a dictionary of 0 strings'],
    ['key groups beyond 16 bits', `01080100${constant}00ffffff0f`, '33554431 is too large'],
  ])('is refused: %s', (_name, hex, reason) => {
    const decode = () => decoder.decode(Buffer.from(hex, 'hex'), 0, new RecordBatch());
    expect(decode).toThrow(/ERR_CODEC_CORRUPT/);
    expect(decode).toThrow(reason);
  });

  test('with many rows and columns of equal values does not become very many', () => {
    const rows = '808004'; // 65,536
    const columns = 'a08d06'; // 100,000
    const column = `01${'00'}${'00'.repeat(8)}`;
    const bytes = Buffer.from(
      `0100${rows}${columns}01${'00'.repeat(8)}${column.repeat(100_000)}`,
      'hex',
    );
    expect(() => decoder.decode(bytes, 0, new RecordBatch())).toThrow(/too many rows and columns/);
  });
});
