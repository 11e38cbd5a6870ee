import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { plainBlocks, plainBlocksOfJson, segmentOf } from './plain-segment.js';
import { segmentFormatVersion } from './segment-format.js';

const folder = new URL('../../golden/', import.meta.url);
const versions = readdirSync(folder)
  .map((name) => /^segment-v(\d+)\.bin$/.exec(name)?.[1])
  .filter((version) => version !== undefined);

const read = (name: string) => readFileSync(new URL(name, folder));

// Golden files are made by hand, once: see scripts/make-golden-segment.mjs.
test.each(versions)(
  'the golden segment of format %s is read as it was written',
  async (version) => {
    const expected = plainBlocksOfJson(JSON.parse(read(`segment-v${version}.json`).toString()));
    expect(await plainBlocks(new Uint8Array(read(`segment-v${version}.bin`)))).toEqual(expected);
  },
);

test('there is a golden segment of the present format, and it would be written the same', () => {
  expect(versions).toContain(`${segmentFormatVersion}`);
  const blocks = plainBlocksOfJson(
    JSON.parse(read(`segment-v${segmentFormatVersion}.json`).toString()),
  );
  const bytes = new Uint8Array(read(`segment-v${segmentFormatVersion}.bin`));
  expect(segmentOf(blocks)).toEqual(bytes);
});
