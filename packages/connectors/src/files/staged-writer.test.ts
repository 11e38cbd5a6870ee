import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sink, SinkContext, SinkWriter } from '@millrace/core/spi';
import { nodeEnv } from '@millrace/runtime';
import { SimulatedDisk } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { csvSink } from './csv-sink.js';
import { batchOf, checkpointedContext, hiddenFiles, visibleFiles } from './file-sink-driver.js';
import { ndjsonSink } from './ndjson-sink.js';
import type { StagedOutput } from './staged-output.js';
import { temporaryFolder } from './temporary-folder-driver.js';

const growing = ndjsonSink({ path: '/out/rows' });
const parts = ndjsonSink({ path: '/out/' });

async function diskWith(files: Readonly<Record<string, string>> = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await disk.makeFolder('/out');
  for (const [path, text] of Object.entries(files)) await put(disk, path, text, 0);
  return disk;
}

async function put(disk: SimulatedDisk, path: string, text: string, atByte: number): Promise<void> {
  const file = await disk.open(path);
  await file.write(Buffer.from(text), atByte);
  await file.close();
}

async function opened(sink: Sink<never>, context: SinkContext): Promise<Required<SinkWriter>> {
  const writer = sink.createWriter(context) as Required<SinkWriter>;
  await writer.open();
  return writer;
}

const seen = async (disk: SimulatedDisk) => Object.fromEntries(await visibleFiles(disk, '/out'));

/** What a job has prepared for its checkpoint 1, after which its process ended. */
async function prepareOnce(disk: SimulatedDisk, sink: Sink<never>): Promise<StagedOutput> {
  const writer = await opened(sink, checkpointedContext(disk, 'first'));
  await writer.write(batchOf(1, 2));
  const output = (await writer.prepare(1)) as StagedOutput;
  await writer.close();
  return output;
}

describe('a checkpoint', () => {
  test.each([
    ['growing', growing, { rows: '1\n' }, { rows: '1\n2\n' }],
    [
      'parts',
      parts,
      { 'part-0-1.ndjson': '1\n' },
      { 'part-0-1.ndjson': '1\n', 'part-0-2.ndjson': '2\n' },
    ],
  ])('is seen when it is committed, not before, %s', async (_name, sink, first, both) => {
    const disk = await diskWith();
    const writer = await opened(sink, checkpointedContext(disk, 'p'));
    await writer.write(batchOf(1));
    await writer.prepare(1);
    await writer.write(batchOf(2));
    await writer.prepare(2);
    expect(await seen(disk)).toEqual({});
    await writer.committed(1);
    expect(await seen(disk)).toEqual(first);
    await writer.committed(2);
    await writer.committed(2);
    expect(await seen(disk)).toEqual(both);
  });

  test('says where its rows go, and all that is not published yet', async () => {
    const disk = await diskWith({ '/out/rows': '0\n' });
    const writer = await opened(growing, checkpointedContext(disk, 'p'));
    await writer.write(batchOf(1));
    await writer.prepare(1);
    await writer.write(batchOf('two'));
    const piece = (atByte: number, bytes: number) => ({
      aside: expect.stringMatching(/^\/out\/\.rows\.pending-0-[0-9a-f]{16}$/),
      bytes,
      crc32: expect.any(Number),
      target: '/out/rows',
      atByte,
    });
    expect(await writer.prepare(2)).toEqual({
      format: 1,
      home: '/out/rows',
      endByte: 10,
      pieces: [piece(2, 2), piece(4, 6)],
    });
    await writer.committed(2);
    const none = { format: 1, home: '/out/rows', endByte: 10, pieces: [] };
    expect(await writer.prepare(3)).toEqual(none);
  });

  test('without rows makes no part', async () => {
    const disk = await diskWith();
    const writer = await opened(csvSink({ path: '/out/', columns: ['a'] }), {
      ...checkpointedContext(disk, 'p'),
    });
    await writer.write(batchOf());
    await writer.prepare(1);
    await writer.committed(1);
    expect(await disk.list('/out')).toEqual([]);
  });

  test('may be larger than what is held in memory', async () => {
    const disk = await diskWith();
    const writer = await opened(growing, checkpointedContext(disk, 'p'));
    const text = 'é'.repeat(300_000);
    for (let i = 0; i < 5; i += 1) await writer.write(batchOf(text));
    expect((await disk.size((await hiddenPaths(disk))[0]!))! > 2_000_000).toBe(true);
    await writer.prepare(1);
    await writer.committed(1);
    expect((await seen(disk)).rows).toBe(`"${text}"\n`.repeat(5));
  });
});

const hiddenPaths = async (disk: SimulatedDisk) =>
  (await hiddenFiles(disk, '/out')).map((name) => `/out/${name}`);

describe('a file that holds something when a job starts', () => {
  async function check(before: string, expected: string): Promise<void> {
    const disk = await diskWith({ '/out/rows': before });
    const sink = csvSink({ path: '/out/rows', columns: ['a'] });
    const writer = await opened(sink, checkpointedContext(disk, 'p'));
    await writer.write(batchOf({ a: 1 }));
    await writer.finish();
    expect((await seen(disk)).rows).toBe(before);
    await writer.prepare(1);
    await writer.committed(1);
    expect((await seen(disk)).rows).toBe(expected);
  }
  test('gets the header if it is empty', () => check('', 'a\n1\n'));
  test('keeps what it holds', () => check('a\n0\n', 'a\n0\n1\n'));
  test('has its last line ended where that was torn', () => check('a\n"0', 'a\n"0\n1\n'));
  test('gets its header also without rows', async () => {
    const disk = await diskWith();
    const sink = csvSink({ path: '/out/rows', columns: ['a'] });
    const writer = await opened(sink, checkpointedContext(disk, 'p'));
    await writer.prepare(1);
    await writer.committed(1);
    expect(await seen(disk)).toEqual({ rows: 'a\n' });
  });
});

describe('a restart', () => {
  async function restart(disk: SimulatedDisk, sink: Sink<never>, ...prepared: unknown[]) {
    const restored = { checkpoint: 1, prepared: JSON.parse(JSON.stringify(prepared)) };
    return opened(sink, checkpointedContext(disk, 'second', restored));
  }

  test('publishes what was prepared', async () => {
    const disk = await diskWith();
    await restart(disk, growing, await prepareOnce(disk, growing));
    expect(await seen(disk)).toEqual({ rows: '1\n2\n' });
    expect(await hiddenFiles(disk, '/out')).toEqual([]);
  });

  test('is fine with what was published already', async () => {
    for (const sink of [growing, parts]) {
      const disk = await diskWith();
      const prepared = await prepareOnce(disk, sink);
      await restart(disk, sink, prepared);
      const before = await seen(disk);
      await restart(disk, sink, prepared);
      expect(await seen(disk)).toEqual(before);
    }
  });

  test('publishes the parts of subtasks that there are no more', async () => {
    const disk = await diskWith();
    const prepared: StagedOutput[] = [];
    for (const subtask of [0, 1, 2]) {
      const context = checkpointedContext(disk, `first ${subtask}`);
      const writer = await opened(parts, { ...context, subtask, parallelism: 3 });
      await writer.write(batchOf(subtask));
      prepared.push((await writer.prepare(1)) as StagedOutput);
    }
    await restart(disk, parts, ...prepared);
    expect(await seen(disk)).toEqual({
      'part-0-1.ndjson': '0\n',
      'part-1-1.ndjson': '1\n',
      'part-2-1.ndjson': '2\n',
    });
  });

  test.each<[string, Sink<never>, (disk: SimulatedDisk) => Promise<void>, RegExp]>([
    [
      'appended to',
      growing,
      (disk) => put(disk, '/out/rows', 'x', 4),
      /rows should have 0 to 4 bytes, but has 5; cut it to 4 bytes/,
    ],
    ['emptied', growing, (disk) => disk.remove('/out/rows'), /rows lacks 4 .*no such file/],
    [
      'overwritten',
      growing,
      (disk) => put(disk, '/out/rows', 'x', 1),
      /rows lacks 4 bytes .* from byte 0 on: it has 4 bytes, and .*pending.* is gone/,
    ],
    [
      'without a part',
      parts,
      (disk) => disk.remove('/out/part-0-1.ndjson'),
      /part-0-1\.ndjson lacks 4 bytes/,
    ],
    [
      'with a longer part',
      parts,
      (disk) => put(disk, '/out/part-0-1.ndjson', 'x', 4),
      /part-0-1\.ndjson lacks 4 bytes that were prepared: it has 5 bytes/,
    ],
  ])('refuses output that was %s', async (_name, sink, change, message) => {
    const disk = await diskWith();
    const prepared = await prepareOnce(disk, sink);
    await restart(disk, sink, prepared);
    await change(disk);
    const again = restart(disk, sink, prepared);
    await expect(again).rejects.toMatchObject({ code: 'ERR_SINK_CHANGED' });
    await expect(again).rejects.toThrow(message);
  });

  test('refuses a file that is shorter than what was committed before', async () => {
    const disk = await diskWith({ '/out/rows': '12345678\n' });
    const prepared = await prepareOnce(disk, growing);
    await disk.create('/out/rows');
    await expect(restart(disk, growing, prepared)).rejects.toThrow(
      /ERR_SINK_CHANGED.*\/out\/rows should have 9 to 13 bytes, but has 0/,
    );
  });

  test('refuses prepared rows that were damaged', async () => {
    const disk = await diskWith();
    const prepared = await prepareOnce(disk, growing);
    disk.damage(prepared.pieces[0]!.aside);
    await expect(restart(disk, growing, prepared)).rejects.toThrow(/ERR_SINK_CHANGED.*damaged/);
    expect(await seen(disk)).toEqual({});
  });

  test('refuses what another sink prepared', async () => {
    const disk = await diskWith();
    await expect(restart(disk, growing, { offset: 1 })).rejects.toThrow(
      /ERR_STATE_INCOMPATIBLE.*\{"offset":1\}/,
    );
  });

  test('of a sink that is new in the job begins at the end of its file', async () => {
    const disk = await diskWith({ '/out/rows': '0\n' });
    const writer = await restart(disk, growing);
    await writer.write(batchOf(1));
    await writer.prepare(2);
    await writer.committed(2);
    expect(await seen(disk)).toEqual({ rows: '0\n1\n' });
  });
});

test('a job that starts anew adds to the parts of an earlier one', async () => {
  const disk = await diskWith();
  for (const value of ['a', 'b']) {
    const writer = await opened(parts, checkpointedContext(disk, value));
    await writer.write(batchOf(value));
    await writer.prepare(1);
    await writer.committed(1);
  }
  expect(await seen(disk)).toEqual({
    'part-0-1-2.ndjson': '"b"\n',
    'part-0-1.ndjson': '"a"\n',
  });
});

describe.each([
  ['appends to', (disk: SimulatedDisk) => put(disk, '/out/rows', 'mine\n', 2), /from byte 2 on/],
  ['empties', (disk: SimulatedDisk) => disk.remove('/out/rows'), /at least 2 bytes, but has 0/],
])('somebody who %s the file while the job runs', (_name, change, message) => {
  test('is told from the sink, and loses nothing', async () => {
    const disk = await diskWith({ '/out/rows': '0\n' });
    const writer = await opened(growing, checkpointedContext(disk, 'p'));
    await writer.write(batchOf(1));
    await writer.prepare(1);
    await change(disk);
    const before = await seen(disk);
    await expect(writer.committed(1)).rejects.toMatchObject({ code: 'ERR_SINK_CHANGED' });
    await expect(writer.committed(1)).rejects.toThrow(message);
    expect(await seen(disk)).toEqual(before);
  });
});

test('after a failure nothing can be prepared any more', async () => {
  const disk = await diskWith();
  const writer = await opened(growing, checkpointedContext(disk, 'p'));
  await writer.write(batchOf(1));
  disk.failNext({ code: 'ERR_STORAGE_FULL', operation: 'write' });
  await expect(writer.flush()).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL' });
  await expect(writer.prepare(1)).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL' });
  expect(() => writer.write(batchOf(2))).toThrow('ERR_STORAGE_FULL');
  await writer.close();
});

test('closing throws away what no checkpoint has, and keeps what one may have', async () => {
  const disk = await diskWith();
  const writer = await opened(growing, checkpointedContext(disk, 'p'));
  await writer.write(batchOf(1));
  const { pieces } = (await writer.prepare(1)) as StagedOutput;
  await writer.write(batchOf(2));
  await writer.flush();
  expect(await hiddenFiles(disk, '/out')).toHaveLength(2);
  await writer.close();
  expect(await hiddenPaths(disk)).toEqual(pieces.map(({ aside }) => aside));
});

test('works on the disk of this machine', async () => {
  const folder = temporaryFolder();
  for (const path of [join(folder, 'rows'), `${join(folder, 'all')}/`]) {
    const sink = ndjsonSink({ path });
    const writer = await opened(sink, { ...testContext(nodeEnv()), checkpoints: 'on' });
    await writer.write(batchOf(1));
    await writer.prepare(1);
    await writer.committed(1);
    await writer.close();
  }
  expect(readdirSync(folder)).toEqual(['all', 'rows']);
  expect(readdirSync(join(folder, 'all'))).toEqual(['part-0-1.ndjson']);
  expect(readFileSync(join(folder, 'all', 'part-0-1.ndjson'), 'utf8')).toBe('1\n');
  expect(readFileSync(join(folder, 'rows'), 'utf8')).toBe('1\n');
});

describe('without checkpoints', () => {
  test('a folder gets a growing file for each subtask', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'kept'));
    for (const subtask of [0, 1, 1]) {
      const context = { ...testContext(undefined, 2), subtask };
      const writer = await opened(ndjsonSink({ path: folder, layout: 'parts' }), context);
      await writer.write(batchOf(subtask));
      await writer.finish();
      await writer.close();
    }
    expect(readFileSync(join(folder, 'part-0.ndjson'), 'utf8')).toBe('0\n');
    expect(readFileSync(join(folder, 'part-1.ndjson'), 'utf8')).toBe('1\n1\n');
  });
});

test('a sink that truncates promises no more than at most once', () => {
  expect(ndjsonSink({ path: 'a' }).guarantee).toBe('exactly-once');
  const truncating = ndjsonSink({ path: 'a', existing: 'truncate' });
  expect(truncating.guarantee).toBe('at-most-once');
  const context = checkpointedContext(new SimulatedDisk(), 'p');
  expect(truncating.createWriter(context).prepare).toBeUndefined();
});

test.each([
  [{ path: 'a/', layout: 'file' }, /a\/ is a folder/],
  [{ path: 'a/', existing: 'truncate' }, /only added to/],
  [{ path: 'a', layout: 'rows' }, /'rows' is none of file, parts/],
])('options %j are refused', (options, message) => {
  expect(() => ndjsonSink(options as never)).toThrow(message);
  expect(() => ndjsonSink(options as never)).toThrow('ERR_INVALID_OPTION');
});

test('hidden files of another history stay, and are told once', async () => {
  const foreign = { '/out/.rows.pending-7-c0ffee': 'x\n', '/out/.rows.pending-8-c0ffee': 'y\n' };
  const disk = await diskWith(foreign);
  const told: unknown[] = [];
  const log = { log: (...line: unknown[]) => told.push(line) };
  const writer = await opened(growing, { ...checkpointedContext(disk, 'p'), log });
  for (const checkpoint of [1, 2]) {
    await writer.write(batchOf(checkpoint));
    await writer.prepare(checkpoint);
    await writer.write(batchOf('next'));
    await writer.flush();
    await writer.committed(checkpoint);
  }
  const fields = { files: 2, example: '/out/.rows.pending-7-c0ffee' };
  expect(told).toEqual([['warn', expect.stringContaining('another history'), fields]]);
  expect(await hiddenPaths(disk)).toEqual(expect.arrayContaining(Object.keys(foreign)));
});

test('a job that finds no hidden files of others tells nothing', async () => {
  const disk = await diskWith({ '/out/.rows.pending-0-c0ffee': 'x\n' });
  const told: unknown[] = [];
  const log = { log: (...line: unknown[]) => told.push(line) };
  const writer = await opened(growing, { ...checkpointedContext(disk, 'p'), log });
  await writer.write(batchOf(1));
  await writer.prepare(1);
  await writer.write(batchOf(2));
  await writer.flush();
  await writer.prepare(2);
  await writer.committed(1);
  expect(told).toEqual([]);
});

test("what a killed process wrote behind its last checkpoint is nobody else's", async () => {
  const disk = await diskWith({ '/out/.rows.pending-3-c0ffee': 'x\n' });
  const told: unknown[] = [];
  const log = { log: (...line: unknown[]) => told.push(line) };
  const restored = { checkpoint: 3, prepared: [] };
  const writer = await opened(growing, { ...checkpointedContext(disk, 'p'), restored, log });
  // At the start of an attempt sinks are told once more of where it goes on.
  await writer.committed(3);
  expect(await hiddenPaths(disk)).toHaveLength(1);
  await writer.prepare(4);
  await writer.committed(4);
  expect(told).toEqual([]);
  expect(await hiddenPaths(disk)).toEqual([]);
});

test('a folder that is not there is told before the first record', async () => {
  const context = checkpointedContext(await diskWith(), 'p');
  const opening = opened(ndjsonSink({ path: '/nowhere/rows' }), context);
  await expect(opening).rejects.toThrow(/ERR_STORAGE_MISSING.*no folder \/nowhere: make it/);
});
