import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import type { Arrived } from '../reading/reader-driver.js';
import { CsvDecoder } from './csv-decoder.js';
import { assertSameBytes, type FilePosition, knownBytes } from './file-identity.js';
import { LineDecoder } from './line-decoder.js';
import { TextCursor, type TextFormat } from './text-cursor.js';

/** Bytes that matter to a reader of lines, among them such as are no UTF-8. */
const alphabet = ['a', '1', ',', '"', '\n', '\r', '\r\n', 'é', '€', '😀', '\xff'] as const;
const bytesOf = (parts: readonly string[]): Buffer =>
  Buffer.concat(parts.map((part) => (part === '\xff' ? Buffer.of(0xff) : Buffer.from(part))));
const anyBytes = fc.array(fc.constantFrom(...alphabet), { maxLength: 80 }).map(bytesOf);
const anySizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

async function* blocksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

interface Reading {
  /** Sizes of the blocks that bytes come in. */
  readonly sizes: readonly number[];
  readonly max: number;
  readonly restarts: boolean;
}

/** Those that reading went on from. */
let positions: FilePosition[] = [];

/** Everything read, in the order of lines. Fails when a position tells wrong of its file. */
async function read(
  format: TextFormat<unknown>,
  bytes: Buffer,
  { sizes, max, restarts }: Reading,
): Promise<readonly Arrived[]> {
  const open = (position: unknown) => {
    const split = position === undefined ? { id: 'f' } : { id: 'f', position };
    const input = (at: FilePosition) => {
      const known = knownBytes(at.byte);
      const head = bytes.subarray(0, known);
      const found = { size: bytes.length, head, before: bytes.subarray(at.byte - known, at.byte) };
      assertSameBytes('f', at, found);
      positions.push(at);
      return { blocks: blocksOf(bytes.subarray(at.byte), sizes), found, stop: () => {} };
    };
    return new TextCursor(split, format, input, () => {});
  };
  positions = [];
  const arrived: Arrived[] = [];
  let cursor = open(undefined);
  for (;;) {
    const chunk = cursor.poll(max);
    if (chunk === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    chunk.values.forEach((value, index) => {
      arrived.push({ split: 'f', position: chunk.positionOf?.(index), value });
    });
    for (const { error, raw, position } of chunk.bad ?? []) {
      arrived.push({ split: 'f', position, bad: (error as Error).message, raw: asPlain(raw) });
    }
    if (chunk.splitEnded === true) break;
    if (restarts) cursor = open(JSON.parse(JSON.stringify(cursor.position())));
  }
  const lineOf = ({ position }: Arrived): number => Number(position?.split(' ')[1]);
  return arrived.sort((one, other) => lineOf(one) - lineOf(other));
}

const asPlain = (raw: string | Uint8Array | undefined): string | undefined =>
  raw instanceof Uint8Array ? `bytes ${[...raw].join(' ')}` : raw;

const lines: TextFormat<unknown> = {
  encoding: 'utf8',
  lineCharsMax: 12,
  createDecoder: () => new LineDecoder((line) => line),
};
const csv: TextFormat<unknown> = {
  encoding: 'utf8',
  lineCharsMax: 12,
  createDecoder: (carried) =>
    new CsvDecoder(
      {
        delimiter: ',',
        columns: { x: 'string', y: 'string' },
        hasHeader: false,
        schema: undefined,
      },
      carried,
    ),
};

describe.each([
  ['lines', lines],
  ['csv', csv],
])('%s', (_name, format) => {
  test('are the same however the bytes are cut, chunks are sized and the reader restarts', async () => {
    const whole = { sizes: [1_000], max: 1_000, restarts: false };
    await fc.assert(
      fc.asyncProperty(
        anyBytes,
        anySizes,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (bytes, sizes, max, restarts) => {
          const expected = await read(format, bytes, whole);
          expect(await read(format, bytes, { sizes, max, restarts })).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });
});

test('lines agree with splitting the text', async () => {
  const anyText = fc.array(fc.constantFrom('a', 'é', '\n', '\r\n', '😀'), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(anyText, anySizes, async (parts, sizes) => {
      const text = parts.join('');
      const format = { ...lines, lineCharsMax: 1_000 };
      const arrived = await read(format, Buffer.from(text), { sizes, max: 3, restarts: false });
      const expected = text
        .split('\n')
        .map((line, index) => ({ value: line.replace(/\r$/, ''), position: `line ${index + 1}` }))
        .filter(({ value }) => value !== '');
      expect(arrived.map(({ value, position }) => ({ value, position }))).toEqual(expected);
    }),
  );
});

test('each position knows the last bytes before it, also those of blocks long gone', async () => {
  const { identityBytes } = connectorLimits;
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, index) => `${index}\n`).join(''));
  await read(lines, bytes, { sizes: [700, 3], max: 900, restarts: true });
  expect(positions.some(({ byte }) => byte > 3 * identityBytes)).toBe(true);
  for (const { byte, file } of positions) {
    const known = Math.min(byte, identityBytes);
    const expected = { size: bytes.length, headBytes: known, tailBytes: known };
    if (byte === 0) expect(file).toBeUndefined();
    else expect(file).toMatchObject(expected);
  }
});

test('a line that does not fit in memory is refused, and the offsets behind it are right', async () => {
  const long = Buffer.from(`first\n${'x'.repeat(1_000_000)}\nsecond\nthird\n`);
  for (const restarts of [false, true]) {
    const arrived = await read(lines, long, { sizes: [65_536], max: 1, restarts });
    expect(arrived.map(({ value, position }) => [position, value])).toEqual([
      ['line 1', 'first'],
      ['line 2', undefined],
      ['line 3', 'second'],
      ['line 4', 'third'],
    ]);
    expect(arrived[1]?.bad).toMatch(/longer than 12 characters \(at line 2\)/);
    expect(arrived[1]?.raw).toBe('x'.repeat(1_024));
  }
});

test.each([
  ['all its characters take three bytes', '', ''],
  ['it begins with a byte order mark', '\uFEFF', ''],
  ['it is cut behind a carriage return as well', '\uFEFF', 'é\r'],
])('a line that is cut is refused also when %s', async (_name, mark, end) => {
  const lineCharsMax = connectorLimits.readBlockBytes;
  const format = { ...lines, lineCharsMax };
  const text = `${mark}${'€'.repeat(lineCharsMax - end.length / 2)}${end}`;
  const long = Buffer.from(`${text}${'€'.repeat(100)}\nsecond\n`);
  const arrived = await read(format, long, { sizes: [100], max: 9, restarts: false });
  expect(arrived.map(({ value }) => value)).toEqual([undefined, 'second']);
});

test('a byte order mark is no part of the first line', async () => {
  const bytes = Buffer.from('\uFEFFone\ntwo\n');
  const arrived = await read(lines, bytes, { sizes: [2], max: 1, restarts: true });
  expect(arrived.map(({ value }) => value)).toEqual(['one', 'two']);
});

test('bytes that are no UTF-8 are bad input, a U+FFFD of the file is not', async () => {
  const bytes = Buffer.concat([Buffer.from('\uFFFD\n'), Buffer.of(0x61, 0xc3)]);
  const arrived = await read(lines, bytes, { sizes: [100], max: 9, restarts: false });
  expect(arrived.map(({ value }) => value)).toEqual(['\uFFFD', undefined]);
  expect(arrived[1]).toMatchObject({ position: 'line 2', raw: 'bytes 97 195' });
  expect(arrived[1]?.bad).toMatch(/not valid UTF-8/);
});

test('one bad byte costs its line, not a search through the block for each line of it', async () => {
  const bytes = Buffer.from('a\n'.repeat(connectorLimits.readBlockBytes / 2));
  bytes[0] = 0xff;
  const sizes = [bytes.length];
  const arrived = await read(lines, bytes, { sizes, max: 512, restarts: false });
  expect(arrived).toHaveLength(bytes.length / 2);
  expect(arrived.filter(({ bad }) => bad !== undefined)).toHaveLength(1);
});

test('latin1 has no bad bytes', async () => {
  const arrived = await read({ ...lines, encoding: 'latin1' }, Buffer.of(0xe9, 10, 0xff), {
    sizes: [1],
    max: 1,
    restarts: true,
  });
  expect(arrived.map(({ value }) => value)).toEqual(['é', 'ÿ']);
});
