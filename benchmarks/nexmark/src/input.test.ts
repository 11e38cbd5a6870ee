import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generate } from './generator/generator.js';
import { batchesOf, readEvents } from './input.js';
import { writeLines } from './ndjson-file.js';

const events = [...generate({ seed: 9, events: 1_300, rate: 100, disorderMs: 200 })];

describe('files of events', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexmark-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(['events.ndjson', 'events.ndjson.gz'])('%s is read as it was written', async (name) => {
    const path = join(folder, name);
    await writeLines(path, events);
    expect(await readEvents(path)).toEqual(events);
  });

  test('a missing file is an error', async () => {
    await expect(readEvents(join(folder, 'none.gz'))).rejects.toThrow('ENOENT');
  });

  test.each([
    ['{"kind":"bid"', 'line 2 is not JSON'],
    ['{"kind":"bids","dateTime":1}', 'line 2 is no Nexmark event'],
    ['{"kind":"bid","dateTime":"1"}', 'line 2 is no Nexmark event'],
    ['null', 'line 2 is no Nexmark event'],
  ])('a line %s is named', async (line, message) => {
    const path = join(folder, 'bad.ndjson');
    await writeFile(path, `${JSON.stringify(events[0])}\n${line}\n`);
    await expect(readEvents(path)).rejects.toThrow(`cannot read ${path}: ${message}`);
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
