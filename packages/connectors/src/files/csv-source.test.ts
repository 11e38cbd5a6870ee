import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import { readAll, readWithRestarts, valuesOf } from '../reading/reader-driver.js';
import type { CsvColumns } from './csv-columns.js';
import { type CsvSourceOptions, csvSource } from './csv-source.js';
import { folderWith } from './temporary-folder-driver.js';

type Options = Omit<CsvSourceOptions, 'path'> & { columns?: CsvColumns };

function sourceOf(content: string, options: Options = {}, name = 'in.csv') {
  const path = join(folderWith({ [name]: content }), name);
  const { columns, ...rest } = options;
  return columns === undefined
    ? csvSource({ path, ...rest })
    : csvSource({ path, columns, ...rest });
}

describe('records', () => {
  async function check(content: string, expected: unknown, options?: Options): Promise<void> {
    expect(valuesOf(await readAll(sourceOf(content, options)))).toEqual(expected);
  }

  test('have the columns of the header as texts', () =>
    check('a,b\n1,x\n2,\n', [
      { a: '1', b: 'x' },
      { a: '2', b: '' },
    ]));
  test('end with the file, with or without a newline', () =>
    check('a\n1\n2', [{ a: '1' }, { a: '2' }]));
  test('may end in CRLF', () =>
    check('a,b\r\n1,2\r\n"3",4\r\n', [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]));
  test('are not made of empty lines', () => check('\na\n\n1\n\r\n2\n\n', [{ a: '1' }, { a: '2' }]));
  test('may have quotes, doubled quotes, delimiters and newlines in quotes', () =>
    check('a,b\n"x, ""y""","1\n2"\n"",5" tall\n', [
      { a: 'x, "y"', b: '1\n2' },
      { a: '', b: '5" tall' },
    ]));
  test('take another delimiter', () =>
    check('a;b\n1,5;2\n', [{ a: '1,5', b: '2' }], { delimiter: ';' }));
  test('have the wanted columns only, converted, in the wanted order', async () => {
    const columns = { at: 'integer', amount: 'number', fraud: 'boolean', id: 'string' } as const;
    const content = 'id,note,amount,fraud,at\nx,n,1.5,true,1700000000000\ny,"n,m",-2e3,0,-7\n';
    const values = valuesOf(await readAll(sourceOf(content, { columns })));
    expect(values).toEqual([
      { at: 1_700_000_000_000, amount: 1.5, fraud: true, id: 'x' },
      { at: -7, amount: -2000, fraud: false, id: 'y' },
    ]);
    expect(Object.keys(values[0] as object)).toEqual(Object.keys(columns));
  });
  test('have null for an empty field of a type with ?', () =>
    check(
      'a,b\n,\n1,x\n',
      [
        { a: null, b: null },
        { a: 1, b: 'x' },
      ],
      {
        columns: { a: 'number?', b: 'string?' },
      },
    ));
  test('are named by the columns where the file has no header', () =>
    check('1,x\n', [{ n: 1, t: 'x' }], { header: false, columns: { n: 'integer', t: 'string' } }));

  test('may have a column named __proto__', async () => {
    const [record] = valuesOf(await readAll(sourceOf('a,__proto__\n1,evil\n')));
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(record, '__proto__')?.value).toBe('evil');
  });

  test('are what the schema makes of them', async () => {
    const path = join(folderWith({ 'in.csv': 'a\n1\n-1\n' }), 'in.csv');
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => {
          const { a } = value as { a: number };
          return a > 0 ? { value: a * 2 } : { issues: [{ message: 'too small', path: ['a'] }] };
        },
      },
    } as const;
    const arrived = await readAll(csvSource({ path, columns: { a: 'integer' }, schema }));
    expect(valuesOf(arrived)).toEqual([2]);
    expect(arrived[1]?.bad).toMatch(/ERR_SCHEMA_VIOLATION.*too small \(field a, at line 3\)/);
  });
});

describe('bad rows', () => {
  async function check(row: string, message: RegExp, raw = row): Promise<void> {
    const columns = { a: 'integer', b: 'boolean' } as const;
    const source = sourceOf(`a,b\n1,true\n${row}\n3,false\n`, { columns, lineCharsMax: 40 });
    const arrived = await readAll(source);
    expect(valuesOf(arrived)).toEqual([
      { a: 1, b: true },
      { a: 3, b: false },
    ]);
    const bad = arrived.filter((one) => one.bad !== undefined);
    expect(bad).toEqual([
      { split: expect.any(String), position: 'line 3', bad: expect.stringMatching(message), raw },
    ]);
  }

  test('have too few fields', () => check('7', /it has 1 fields, the header has 2/));
  test('have too many', () => check('7,1,2', /it has 3 fields, the header has 2/));
  test('have no number', () => check('x7,1', /"x7" is not a whole number.*\(field a, at line 3\)/));
  test('have no truth', () => check('7,maybe', /"maybe" is not true or false.*field b/));
  test('have text after a quote', () => check('"7"x,1', /closing quote is followed by more text/));
  test('are too long', () => check(`7,${'1'.repeat(50)}`, /longer than 40/, `7,${'1'.repeat(50)}`));
});

test('an unclosed quote costs its line, not the rest of the file', async () => {
  const rows = Array.from({ length: 50 }, (_, index) => `${index},x`).join('\n');
  const arrived = await readAll(sourceOf(`a,b\n"oops,x\n${rows}\n`, { lineCharsMax: 100 }));
  expect(valuesOf(arrived)).toHaveLength(50);
  expect(arrived.find(({ bad }) => bad !== undefined)).toMatchObject({
    raw: '"oops,x',
    position: 'line 2',
  });
});

describe('a header', () => {
  async function check(content: string, columns: CsvColumns | undefined, message: RegExp) {
    const options = columns === undefined ? {} : { columns };
    const reading = readAll(sourceOf(content, options));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(/\(.*at .*in\.csv\)/);
  }
  test('without a wanted column fails, naming it and those there are', () =>
    check(
      'a,b\n1,2\n',
      { amount: 'number' },
      /ERR_INVALID_OPTION.*no column 'amount'; it has 'a', 'b'/,
    ));
  test('with a column twice fails', () => check('a,a\n', undefined, /the column 'a' twice/));
  test('with too many columns fails', () =>
    check(`a${',b'.repeat(4_096)}\n`, undefined, /it has 4097 fields, more than 4096/));
  test('that is no CSV fails', () => check('"a\n1\n', undefined, /a quote is not closed/));
});

describe('a restart from any position', () => {
  const anyField = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '😀', ' ') });
  const anyRows = fc.array(fc.tuple(anyField, anyField), { maxLength: 12 });
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  test.each(['in.csv', 'in.csv.gz'])('gives what was written, %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(anyRows, fc.integer({ min: 1, max: 4 }), async (rows, max) => {
        const content = ['x,y', ...rows.map((row) => row.map(quoted).join(','))].join('\n');
        const arrived = await readWithRestarts(sourceOf(content, {}, name), max);
        expect(valuesOf(arrived)).toEqual(rows.map(([x, y]) => ({ x, y })));
      }),
      { numRuns: 40 },
    );
  });

  test('goes on in all files', async () => {
    const folder = folderWith({
      'a-1.csv': 'n\n1\n2\n3\n',
      'a-2.csv.gz': 'n\n4\n5\n',
      'b.csv': 'n\n6\n',
    });
    const source = csvSource({ path: join(folder, 'a-*'), columns: { n: 'integer' } });
    const numbers = valuesOf(await readWithRestarts(source, 1)) as readonly { n: number }[];
    expect(numbers.map(({ n }) => n).sort()).toEqual([1, 2, 3, 4, 5]);
  });
});

test('a missing file fails, naming its path', async () => {
  const path = join(folderWith({}), 'nowhere.csv');
  await expect(readAll(csvSource({ path }))).rejects.toMatchObject({
    code: 'ERR_SOURCE_FAILED',
    message: expect.stringContaining(path),
  });
});

test('a packed file that is cut off fails after the records before', async () => {
  const folder = folderWith({ 'in.csv.gz': `n\n${'1\n'.repeat(200_000)}` });
  truncateSync(join(folder, 'in.csv.gz'), 200);
  await expect(readAll(csvSource({ path: join(folder, 'in.csv.gz') }))).rejects.toThrow(
    /ERR_SOURCE_FAILED.*in\.csv\.gz/,
  );
});

test.each([
  [{}, /no path is given/],
  [{ path: '' }, /a path is empty/],
  [{ path: 'a*/b.csv' }, /before its last segment/],
  [{ path: 'a', delimiter: '||' }, /one ASCII character/],
  [{ path: 'a', header: false }, /columns must be named/],
  [{ path: 'a', columns: { n: 'int' } }, /'int' is none of/],
  [{ path: 'a', lineCharsMax: 0 }, /at least 1/],
])('options %j are refused', (options, message) => {
  expect(() => csvSource(options as CsvSourceOptions)).toThrow(message);
  expect(() => csvSource(options as CsvSourceOptions)).toThrow('ERR_INVALID_OPTION');
});

test('more columns than a row may have are refused, also without a header', () => {
  const columns = Object.fromEntries(
    Array.from({ length: connectorLimits.csvColumnsMax + 1 }, (_, at) => [`c${at}`, 'string']),
  ) as CsvColumns;
  expect(() => csvSource({ path: 'a', header: false, columns })).toThrow(/at most 4096 columns/);
});
