import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAll, readWithRestarts, valuesOf } from '../reading/reader-driver.js';
import { ndjsonSource } from './ndjson-source.js';
import { folderWith } from './temporary-folder-driver.js';

const source = (content: string, name = 'in.ndjson') =>
  ndjsonSource({ path: join(folderWith({ [name]: content }), name) });

test('each line is a record, empty lines are none', async () => {
  const arrived = await readAll(source('{"a":1}\r\n\n[2]\n"three"'));
  expect(arrived.map(({ position, value }) => [position, value])).toEqual([
    ['line 1', { a: 1 }],
    ['line 3', [2]],
    ['line 4', 'three'],
  ]);
});

test('a line that is no JSON is bad input with its text', async () => {
  const arrived = await readAll(source('1\n{"a":\n2\n'));
  expect(valuesOf(arrived)).toEqual([1, 2]);
  expect(arrived).toContainEqual({
    split: expect.any(String),
    position: 'line 2',
    raw: '{"a":',
    bad: expect.stringMatching(/ERR_INVALID_RECORD: .*JSON.* \(at line 2\)/),
  });
});

test('__proto__ stays a property', async () => {
  const [record] = valuesOf(await readAll(source('{"__proto__":{"evil":true}}\n')));
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  expect(Object.keys(record as object)).toEqual(['__proto__']);
});

test.each(['in.ndjson', 'in.ndjson.gz'])('a restart goes on exactly, %s', async (name) => {
  const numbers = Array.from({ length: 300 }, (_, index) => index);
  const content = numbers.map((n) => JSON.stringify({ n, text: 'é'.repeat(n % 5) })).join('\n');
  const values = valuesOf(await readWithRestarts(source(content, name), 7)) as { n: number }[];
  expect(values.map(({ n }) => n)).toEqual(numbers);
});

describe('a schema', () => {
  const path = () => join(folderWith({ 'in.ndjson': '{"items":[{"price":"5"}]}\n' }), 'in.ndjson');
  const validator = (validate: (value: unknown) => object) =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as never;

  test('names the field that violates it', async () => {
    const issue = { message: 'expected a number', path: ['items', { key: 0 }, 'price'] };
    const schema = validator(() => ({ issues: [issue] }));
    const [bad] = await readAll(ndjsonSource({ path: path(), schema }));
    expect(bad?.bad).toMatch(
      /ERR_SCHEMA_VIOLATION.*expected a number \(field items\[0\]\.price, at line 1\)/,
    );
  });

  test('that is asynchronous fails the job', async () => {
    const schema = validator(() => Promise.resolve({ value: 1 }));
    await expect(readAll(ndjsonSource({ path: path(), schema }))).rejects.toThrow(
      /ERR_INVALID_OPTION.*the schema is asynchronous/,
    );
  });
});

test('a pattern reads its files in the order of their names, once each', async () => {
  const folder = folderWith({ 'b.1.json': '2', 'a.1.json': '1', 'b.1.json.bak': '3' });
  const paths = [join(folder, '*.1.json'), join(folder, 'a.1.json')];
  const { splits } = await ndjsonSource({ paths })
    .createEnumerator({} as never)
    .discover();
  expect(splits.map(({ id }) => id)).toEqual(['a.1.json', 'b.1.json'].map((n) => join(folder, n)));
  // They are read side by side, so whose record comes first is left open.
  expect(valuesOf(await readAll(ndjsonSource({ paths }))).toSorted()).toEqual([1, 2]);
});

test('a file that is named in two ways is read once', async () => {
  const folder = folderWith({ 'a.json': '1' });
  const paths = [`${folder}/./a.json`, join(folder, '*.json'), `${folder}//a.json`];
  expect(valuesOf(await readAll(ndjsonSource({ paths })))).toEqual([1]);
});

test('a pattern leaves out hidden files, such as those with rows that are not committed', async () => {
  const folder = folderWith({
    'part-0-1.json': '1',
    '.part-0.pending-1-c0ffee': '2',
    '.x.json': '3',
  });
  const read = async (pattern: string) =>
    valuesOf(await readAll(ndjsonSource({ path: join(folder, pattern) })));
  expect(await read('*')).toEqual([1]);
  expect(await read('.x*')).toEqual([3]);
});

test('a pattern that matches nothing fails, naming it', async () => {
  const path = join(folderWith({}), '*.json');
  await expect(readAll(ndjsonSource({ path }))).rejects.toThrow(/ERR_SOURCE_FAILED.*\*\.json/);
});
