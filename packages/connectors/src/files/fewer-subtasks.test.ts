import type { Sink, SinkContext, SinkWriter } from '@millrace/core/spi';
import { SimulatedDisk } from '@millrace/testing';
import { expect, test } from 'vitest';
import { batchOf, checkpointedContext, hiddenFiles } from './file-sink-driver.js';
import { ndjsonSink } from './ndjson-sink.js';

/** Subtasks of a sink that share no folder, or one. */
const layouts: readonly [string, Sink<never>, readonly string[]][] = [
  ['growing files', ndjsonSink({ path: '/out/rows-{subtask}' }), ['/out']],
  ['parts', ndjsonSink({ path: '/out/{subtask}/' }), ['/out/0', '/out/1', '/out/2']],
];

async function newDisk(...files: readonly string[]): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await disk.makeFolder('/out');
  for (const path of files) await (await disk.create(path)).close();
  return disk;
}

async function opened(sink: Sink<never>, context: SinkContext): Promise<Required<SinkWriter>> {
  const writer = sink.createWriter(context) as Required<SinkWriter>;
  await writer.open();
  return writer;
}

/** Three subtasks up to checkpoint 1, which end in the middle of a write; what they prepared. */
async function runThree(disk: SimulatedDisk, sink: Sink<never>): Promise<readonly unknown[]> {
  const prepared: unknown[] = [];
  for (const subtask of [0, 1, 2]) {
    const process = `first ${subtask}`;
    const context = { ...checkpointedContext(disk, process), subtask, parallelism: 3 };
    const writer = await opened(sink, context);
    await writer.write(batchOf('a'));
    prepared.push(await writer.prepare(1));
    for (const record of ['aborted', 'torn']) {
      await writer.write(batchOf(record));
      await writer.flush();
      if (record === 'aborted') await writer.prepare(2);
      await writer.committed(1);
    }
    disk.crashProcess(process);
  }
  return JSON.parse(JSON.stringify(prepared));
}

const hiddenIn = async (disk: SimulatedDisk, folders: readonly string[]) =>
  (await Promise.all(folders.map((folder) => hiddenFiles(disk, folder)))).flat();

test.each(layouts)('%s: nothing stays of subtasks that there are no more', async (...layout) => {
  const [, sink, folders] = layout;
  const disk = await newDisk();
  const prepared = await runThree(disk, sink);
  expect((await hiddenIn(disk, folders)).length).toBeGreaterThanOrEqual(6);
  const restored = { checkpoint: 1, prepared };
  const writer = await opened(sink, checkpointedContext(disk, 'second', restored));
  await writer.write(batchOf('b'));
  await writer.prepare(3);
  await writer.committed(3);
  expect(await hiddenIn(disk, folders)).toEqual([]);
});

test('what no subtask of the sink has written stays', async () => {
  const foreign = '.rows-3.pending-0-c0ffee';
  const disk = await newDisk(`/out/${foreign}`);
  const sink = ndjsonSink({ path: '/out/rows-{subtask}' });
  const restored = { checkpoint: 1, prepared: await runThree(disk, sink) };
  const writer = await opened(sink, checkpointedContext(disk, 'second', restored));
  await writer.prepare(3);
  await writer.committed(3);
  expect(await hiddenFiles(disk, '/out')).toEqual([foreign]);
});

test('what the sink would write now, and did not then, stays', async () => {
  const foreign = '.other-2.pending-0-c0ffee';
  const disk = await newDisk(`/out/${foreign}`);
  const prepared = await runThree(disk, ndjsonSink({ path: '/out/rows-{subtask}' }));
  const restored = { checkpoint: 1, prepared };
  const moved = ndjsonSink({ path: '/out/other-{subtask}' });
  const writer = await opened(moved, checkpointedContext(disk, 'second', restored));
  await writer.prepare(3);
  await writer.committed(3);
  expect(await hiddenFiles(disk, '/out')).toContain(foreign);
});

test('of several subtasks the one sweeps that publishes what was prepared', async () => {
  const [, sink] = layouts[0]!;
  const disk = await newDisk();
  const restored = { checkpoint: 1, prepared: await runThree(disk, sink) };
  const context = checkpointedContext(disk, 'second', restored);
  await opened(sink, { ...context, subtask: 1, parallelism: 2 });
  const left = (await hiddenFiles(disk, '/out')).map((name) => name.split('.')[1]);
  expect(left).toContain('rows-2');
  await opened(sink, { ...context, subtask: 0, parallelism: 2 });
  const hidden = await hiddenFiles(disk, '/out');
  expect(hidden.filter((name) => name.startsWith('.rows-2.pending-0-'))).toEqual([]);
});
