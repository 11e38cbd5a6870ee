import { readdirSync } from 'node:fs';
import type { Sink, SinkContext, SinkRestore, SinkWriter } from '@millrace/core/spi';
import { nodeEnv } from '@millrace/runtime';
import { SimulatedDisk } from '@millrace/testing';
import { expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { csvSink } from './csv-sink.js';
import { batchOf, checkpointedContext, hiddenFiles, visibleFiles } from './file-sink-driver.js';
import { ndjsonSink } from './ndjson-sink.js';
import type { StagedOutput } from './staged-output.js';
import { temporaryFolder } from './temporary-folder-driver.js';

const csv = csvSink({ path: '/out/', columns: ['n'], header: false });
const ndjson = ndjsonSink({ path: '/out/' });

async function newDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await disk.makeFolder('/out');
  return disk;
}

async function put(disk: SimulatedDisk, path: string, text: string): Promise<void> {
  const file = await disk.create(path);
  await file.write(Buffer.from(text), 0);
  await file.close();
}

async function opened(sink: Sink<never>, context: SinkContext): Promise<Required<SinkWriter>> {
  const writer = sink.createWriter(context) as Required<SinkWriter>;
  await writer.open();
  return writer;
}

const seen = async (disk: SimulatedDisk) => Object.fromEntries(await visibleFiles(disk, '/out'));

test.each<[string, readonly [Sink<never>, object][], object]>([
  [
    'of one job, one for each format',
    [
      [csv, { operatorId: 'rows' }],
      [ndjson, { operatorId: 'records' }],
    ],
    { 'part-0-1.csv': '1\n', 'part-0-1.ndjson': '{"n":1}\n' },
  ],
  [
    'of two jobs with the same ids',
    [
      [csv, { job: 'first' }],
      [ndjson, { job: 'second' }],
    ],
    { 'part-0-1.csv': '1\n', 'part-0-1.ndjson': '{"n":1}\n' },
  ],
  [
    'of two jobs that are the same but for what is cut off their names',
    [
      [csv, { operatorId: `${'a'.repeat(90)}-1` }],
      [ndjson, { operatorId: `${'a'.repeat(90)}-2` }],
    ],
    { 'part-0-1.csv': '1\n', 'part-0-1.ndjson': '{"n":1}\n' },
  ],
])('sinks %s leave what is the other one’s alone', async (_name, sinks, expected) => {
  const disk = await newDisk();
  const writers = await Promise.all(
    sinks.map(([sink, own], index) =>
      opened(sink, { ...checkpointedContext(disk, `p${index}`), ...own }),
    ),
  );
  for (const writer of writers) {
    await writer.write(batchOf({ n: 1 }));
    await writer.prepare(1);
  }
  for (const writer of writers) await writer.committed(1);
  expect(await seen(disk)).toEqual(expected);
});

test('jobs that add the same format to a folder leave what is the other one’s alone', async () => {
  const disk = await newDisk();
  const other = await opened(csv, { ...checkpointedContext(disk, 'p0'), job: 'other' });
  await other.write(batchOf({ n: 7 }));
  await other.prepare(7);
  const writer = await opened(csv, checkpointedContext(disk, 'p1'));
  await writer.write(batchOf({ n: 1 }));
  await writer.prepare(1);
  await writer.committed(1);
  await other.committed(7);
  expect(await seen(disk)).toEqual({ 'part-0-1.csv': '1\n', 'part-0-7.csv': '7\n' });
});

/** A checkpoint of the time when hidden parts were `.part-SUBTASK.pending-…`. */
async function preparedBefore(disk: SimulatedDisk): Promise<SinkRestore> {
  const writer = await opened(csv, checkpointedContext(disk, 'before'));
  await writer.write(batchOf({ n: 1 }));
  const output = (await writer.prepare(3)) as StagedOutput;
  const aside = '/out/.part-0.pending-2-c0ffee';
  await disk.rename(output.pieces[0]!.aside, aside);
  return { checkpoint: 3, prepared: [{ ...output, pieces: [{ ...output.pieces[0], aside }] }] };
}

test('a checkpoint names hidden files as it may, whatever they are called now', async () => {
  const disk = await newDisk();
  const restored = await preparedBefore(disk);
  await opened(csv, checkpointedContext(disk, 'now', restored));
  expect(await seen(disk)).toEqual({ 'part-0-3.csv': '1\n' });
  expect(await hiddenFiles(disk, '/out')).toEqual([]);
});

test('hidden files that do not say whose they are stay, and are told once', async () => {
  const disk = await newDisk();
  const left = '/out/.part-0.pending-1-c0ffee';
  await put(disk, left, 'x\n');
  const restored = await preparedBefore(disk);
  const told: unknown[] = [];
  const log = { log: (...line: unknown[]) => told.push(line) };
  const writer = await opened(csv, { ...checkpointedContext(disk, 'now', restored), log });
  for (const checkpoint of [4, 5]) {
    await writer.write(batchOf({ n: checkpoint }));
    await writer.prepare(checkpoint);
    await writer.committed(checkpoint);
  }
  const fields = { files: 1, example: left };
  expect(told).toEqual([['warn', expect.stringContaining('hidden files'), fields]]);
  expect(await hiddenFiles(disk, '/out')).toEqual(['.part-0.pending-1-c0ffee']);
});

test('ids of any length, with folders in them, are names on the disk of this machine', async () => {
  const folder = temporaryFolder();
  const names = { job: 'j'.repeat(100), operatorId: `a/b.${'c'.repeat(96)}` };
  const context = { ...testContext(nodeEnv()), checkpoints: 'on', ...names } as const;
  const writer = await opened(ndjsonSink({ path: `${folder}/` }), { ...context, subtask: 12_345 });
  await writer.write(batchOf(1));
  await writer.prepare(1);
  const [hidden] = readdirSync(folder);
  expect(hidden).toMatch(
    /^\.part-12345\.ndjson\.j+\.a_b\.c+-[0-9a-f]{16}\.pending-0-[0-9a-f]{16}$/,
  );
  await writer.committed(1);
  expect(readdirSync(folder)).toEqual(['part-12345-1.ndjson']);
});
