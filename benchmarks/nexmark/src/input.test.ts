import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generate } from './generator/generator.js';
import { writeEvents } from './generator/write.js';
import { batchesOf, readEvents } from './input.js';

const events = [...generate({ seed: 9, events: 1_300, rate: 100, disorderMs: 200 })];

describe('files of events', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexmark-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(['events.ndjson', 'events.ndjson.gz'])('%s is read as it was written', async (name) => {
    const path = join(folder, name);
    await writeEvents(path, events);
    expect(await readEvents(path)).toEqual(events);
  });

  test('a missing file is an error', async () => {
    await expect(readEvents(join(folder, 'none.gz'))).rejects.toThrow('ENOENT');
  });
});

describe('batchesOf', () => {
  test('cuts to 512 events at most, with their times', () => {
    const batches = batchesOf(events);
    expect(batches.map((batch) => batch.count)).toEqual([512, 512, 276]);
    expect(batches.flatMap((batch) => batch.values)).toEqual(events);
    expect(batches.flatMap((batch) => [...batch.timestamps])).toEqual(
      events.map((event) => event.dateTime),
    );
  });
});
