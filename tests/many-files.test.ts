import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ndjsonSource } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import type { SourceContext } from '@millrace/core/spi';
import { aggregate, count, keyBy, sinkTo, sum, tumbling, window } from '@millrace/operators';
import { RecordingSink } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

const files = 40;
const perFile = 100;

/** Event time of a file's record. */
type TimeOf = (file: number, n: number) => number;

describe('a source of more files than are open at a time', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-many-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(timeOf: TimeOf, slots: number) {
    for (let file = 0; file < files; file += 1) {
      const lines = Array.from({ length: perFile }, (_, n) => `{"at":${timeOf(file, n)}}\n`);
      writeFileSync(join(folder, `f-${String(file).padStart(3, '0')}.ndjson`), lines.join(''));
    }
    const out = new RecordingSink<{ n: number }>();
    const job = defineJob('files', {}, (builder) => {
      builder
        .source(
          'files',
          ndjsonSource<{ at: number }>({ path: join(folder, '*.ndjson') }),
          watermarks((r) => r.at, { idleAfter: '1s', farFuture: 'off' }),
        )
        .pipe(
          keyBy((r) => r.at % 7),
          window('w', tumbling('1s')),
          aggregate({ n: count(), sum: sum((r) => r.at) }),
          sinkTo('out', out),
        );
    });
    const started = start(await diskForJobs(), job, { slots });
    await pass(started, undefined, 20_000);
    const { metrics } = await started.handle.done;
    const counted = out.records.reduce((all, { value }) => all + value.n, 0);
    return { late: metrics.operators.w!.numLateRecordsDropped ?? 0, counted };
  }

  test('waits for a disk however slow it is: a file that is not read yet is not idle', async () => {
    writeFileSync(join(folder, 'a.ndjson'), '{"at":1}\n');
    const source = ndjsonSource<{ at: number }>({ path: join(folder, 'a.ndjson') });
    const reader = source.createReader({} as SourceContext);
    reader.addSplits([{ id: 'a' }]);
    expect([reader.poll(1), reader.isSplitEmpty?.('a')]).toEqual([undefined, false]);
    await reader.close?.();
  });

  const all = { late: 0, counted: files * perFile };

  test.each<[string, number, TimeOf]>([
    ['interleave', 1, (file, n) => n * 400 + file],
    ['interleave', 2, (file, n) => n * 400 + file],
    ['follow one another', 1, (file, n) => file * 100_000 + n * 400],
    ['follow one another', 2, (file, n) => file * 100_000 + n * 400],
    ['go backwards', 1, (file, n) => (files - file) * 100_000 + n * 400],
    ['go backwards', 2, (file, n) => (files - file) * 100_000 + n * 400],
  ])('drops nothing as late where they %s, in %i slots', async (_name, slots, timeOf) => {
    expect(await run(timeOf, slots)).toEqual(all);
  });
});
