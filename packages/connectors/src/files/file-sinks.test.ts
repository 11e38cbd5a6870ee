import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordBatch, type Sink } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAll, testContext, valuesOf } from '../reading/reader-driver.js';
import { csvSink } from './csv-sink.js';
import { csvSource } from './csv-source.js';
import { ndjsonSink } from './ndjson-sink.js';
import { temporaryFolder } from './temporary-folder-driver.js';

async function writeAll<T>(sink: Sink<T>, records: readonly T[]): Promise<void> {
  const writer = sink.createWriter(testContext());
  try {
    await writer.open?.();
    const batch = new RecordBatch();
    for (const record of records) batch.emit(record, 0);
    await writer.write(batch);
    await writer.finish?.();
  } finally {
    await writer.close?.();
  }
}

describe('ndjsonSink', () => {
  async function check(record: unknown, expected: string): Promise<void> {
    const path = join(temporaryFolder(), 'out.ndjson');
    await writeAll(ndjsonSink({ path }), [record]);
    expect(readFileSync(path, 'utf8')).toBe(expected);
  }
  async function refuses(record: unknown, message: RegExp): Promise<void> {
    const path = join(temporaryFolder(), 'out.ndjson');
    await expect(writeAll(ndjsonSink({ path }), [record])).rejects.toThrow(message);
  }

  test('writes a line of JSON', () => check({ a: [1, { b: null }] }, '{"a":[1,{"b":null}]}\n'));
  test('writes half a surrogate pair as JSON does, which reads it back', () =>
    check(['\ud83d'], '["\\ud83d"]\n'));
  test('writes dates as ISO texts', () =>
    check({ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}\n'));
  test('leaves out what is undefined', () => check({ a: undefined, b: 1 }, '{"b":1}\n'));

  const code = /ERR_UNSERIALISABLE_VALUE/;
  test.each([
    [{ a: { b: [1, 2n] } }, /a bigint has no form in JSON.*\(field a\.b\[1\]\)/],
    [{ m: new Map() }, /a Map .*field m/],
    [{ x: Number.NaN }, /NaN .*field x/],
    [{ t: new Uint8Array(1) }, /a Uint8Array .*field t/],
    [{ d: new Date(Number.NaN) }, /an invalid Date .*field d/],
    [[undefined], /undefined .*field \[0\]/],
    [undefined, /undefined has no form/],
  ])('refuses %o', async (record, message) => {
    await refuses(record, message);
    await refuses(record, code);
  });
  test('refuses a record that contains itself', () => {
    const record: Record<string, unknown> = {};
    record.self = record;
    return refuses(record, /nested more than/);
  });
});

describe('what a file holds', () => {
  const run = async (existing: 'append' | 'truncate' | undefined, before: string) => {
    const path = join(temporaryFolder(), 'out.ndjson');
    writeFileSync(path, before);
    await writeAll(ndjsonSink({ path, existing }), [1]);
    return readFileSync(path, 'utf8');
  };
  test('is kept by default', async () => expect(await run(undefined, '0\n')).toBe('0\n1\n'));
  test('ends its last line first when that was torn off', async () =>
    expect(await run('append', '{"a"')).toBe('{"a"\n1\n'));
  test('goes when it is truncated', async () => expect(await run('truncate', '0\n')).toBe('1\n'));
});

test('flush hands what was written to the file', async () => {
  const path = join(temporaryFolder(), 'out.ndjson');
  const writer = ndjsonSink({ path }).createWriter(testContext());
  await writer.open?.();
  const batch = new RecordBatch();
  batch.emit('x', 0);
  expect(writer.write(batch)).toBeUndefined();
  expect(readFileSync(path, 'utf8')).toBe('');
  await writer.flush?.();
  expect(readFileSync(path, 'utf8')).toBe('"x"\n');
  await writer.close?.();
});

test('a full buffer holds the sender back until it is written', async () => {
  const path = join(temporaryFolder(), 'out.ndjson');
  const writer = ndjsonSink({ path }).createWriter(testContext());
  await writer.open?.();
  const batch = new RecordBatch();
  batch.emit('x'.repeat(300_000), 0);
  await expect(writer.write(batch)).resolves.toBeUndefined();
  expect(readFileSync(path, 'utf8')).toHaveLength(300_003);
  await writer.close?.();
});

test('a path that cannot be written fails, naming it', async () => {
  const path = join(temporaryFolder(), 'no', 'out.ndjson');
  await expect(writeAll(ndjsonSink({ path }), [1])).rejects.toMatchObject({
    code: 'ERR_SINK_FAILED',
    message: expect.stringContaining(path),
  });
});

test('two subtasks do not write one file', () => {
  const context = testContext(undefined, 2);
  expect(() => ndjsonSink({ path: 'out' }).createWriter(context)).toThrow(/put \{subtask\} in/);
  expect(() => ndjsonSink({ path: 'out-{subtask}' }).createWriter(context)).not.toThrow();
});

describe('csvSink', () => {
  test('writes what csvSource reads', async () => {
    const anyText = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', ' ') });
    const anyRecords = fc.array(fc.record({ a: anyText, b: anyText }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const path = join(temporaryFolder(), 'out.csv');
        await writeAll(csvSink({ path, columns: ['a', 'b'] }), records);
        expect(valuesOf(await readAll(csvSource({ path })))).toEqual(records);
      }),
      { numRuns: 60 },
    );
  });

  test('keeps a single empty field', async () => {
    const path = join(temporaryFolder(), 'out.csv');
    await writeAll(csvSink({ path, columns: ['a'] }), [{ a: '' }]);
    expect(valuesOf(await readAll(csvSource({ path })))).toEqual([{ a: '' }]);
  });

  test('writes numbers, dates and nothing, and no second header', async () => {
    const path = join(temporaryFolder(), 'out.csv');
    const sink = csvSink({ path, columns: ['n', 'at', 'x'] });
    await writeAll(sink, [{ n: 5n, at: new Date(0), x: null }]);
    await writeAll(sink, [{ n: -0.5, x: true }]);
    expect(readFileSync(path, 'utf8')).toBe('n,at,x\n5,1970-01-01T00:00:00.000Z,\n-0.5,,true\n');
  });

  test.each([
    ['objects', {}],
    ['half a surrogate pair, which would be another text', 'a\ud83d'],
  ])('refuses %s, naming the column', async (_name, o) => {
    const path = join(temporaryFolder(), 'out.csv');
    await expect(writeAll(csvSink({ path, columns: ['o'] }), [{ o }])).rejects.toThrow(
      /ERR_UNSERIALISABLE_VALUE.*field o/,
    );
  });
});
