import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readerOf } from './plain-segment.js';
import { readAhead } from './read-ahead.js';

const file = Uint8Array.from({ length: 3 * 2 ** 20 }, (_, at) => (at * 31) ^ (at >> 8));

test('reading ahead gives the same bytes, wherever one reads', async () => {
  const place = fc.tuple(
    fc.nat({ max: file.length }),
    fc.oneof(fc.nat({ max: 200_000 }), fc.nat({ max: 2 ** 21 })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(place, { maxLength: 12 }), async (places) => {
      const read = readAhead(readerOf(file), file.length);
      for (const [from, length] of places) {
        const expected = file.subarray(from, from + length);
        expect(Buffer.compare(await read(from, expected.length), expected)).toBe(0);
      }
    }),
  );
});

test('a reader that goes forward in small steps reads the file once', async () => {
  let reads = 0;
  const read = readAhead((from, length) => {
    reads += 1;
    return readerOf(file)(from, length);
  }, file.length);
  for (let at = 0; at < file.length; at += 1_024) {
    const bytes = await read(at, 1_024);
    expect(bytes[1_023]).toBe(file[at + 1_023]);
  }
  expect(reads).toBe(3);
});
