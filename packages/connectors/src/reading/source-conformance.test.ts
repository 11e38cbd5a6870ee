import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SourceUnderTest, sourceConformance } from '@millrace/testing';
import { describe, test } from 'vitest';
import { csvSource } from '../files/csv-source.js';
import { ndjsonSource } from '../files/ndjson-source.js';
import { folderWith } from '../files/temporary-folder-driver.js';
import { generator } from '../generator/generator.js';
import { testContext } from './reader-driver.js';

const from = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => first + index);

function filesUnderTest(
  text: (n: number) => string,
  source: (path: string) => SourceUnderTest['source'],
  comparable?: (record: unknown) => unknown,
): SourceUnderTest {
  const parts = { 'a.txt': from(0, 60), 'b.txt': from(60, 45) };
  const lines = (numbers: readonly number[]) => numbers.map((n) => `${text(n)}\n`).join('');
  const texts = Object.entries(parts).map(([name, numbers]) => [name, lines(numbers)]);
  const folder = folderWith(Object.fromEntries(texts));
  const byPath = Object.entries(parts).map(([name, numbers]) => [join(folder, name), numbers]);
  return {
    source: source(join(folder, '*.txt')),
    env: testContext().env,
    expected: Object.fromEntries(byPath),
    comparable,
    async replace() {
      const path = join(folder, 'a.txt');
      const old = readFileSync(path, 'utf8');
      writeFileSync(path, `${text(7)}\n${old}`);
      appendFileSync(path, `${text(7)}\n`);
    },
  };
}

const undisturbed = {
  'loses and doubles nothing when the outside is killed and comes back':
    'files and memory do not go away and come back',
} as const;
const inBlocks = {
  'takes no more from the outside than it may hold':
    'a file is read in blocks of bytes; how many is tested where they are read',
} as const;

describe('ndjson', () => {
  const create = async () => filesUnderTest(String, (path) => ndjsonSource({ path }));
  const cases = sourceConformance('ndjson', create, { ...undisturbed, ...inBlocks });
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});

describe('csv', () => {
  const columns = { n: 'integer', text: 'string' } as const;
  const create = async () =>
    filesUnderTest(
      (n) => `${n},"line\nof ${n}"`,
      (path) => csvSource({ path, header: false, columns }),
      (record) => (record as { readonly n: number }).n,
    );
  const cases = sourceConformance('csv', create, { ...undisturbed, ...inBlocks });
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});

describe('generator', () => {
  const create = async (): Promise<SourceUnderTest> => {
    let made = 0;
    const source = generator({
      seed: 1,
      count: 100,
      splits: 2,
      create(index) {
        made += 1;
        return index;
      },
    });
    const all = from(0, 100);
    const expected = { '0': all.filter((n) => n % 2 === 0), '1': all.filter((n) => n % 2 === 1) };
    return { source, env: testContext().env, expected, fetched: async () => made, heldMax: 0 };
  };
  const cases = sourceConformance('generator', create, {
    ...undisturbed,
    'refuses to go on where what was read is gone or another one':
      'what is made from an index cannot be replaced',
  });
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});
