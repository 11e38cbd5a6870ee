import { run } from '@millrace/runtime';
import { expect, test } from 'vitest';
import { Feed } from '../engine/feed.js';
import { queryJob } from '../engine/query-job.js';
import { rowsTo } from '../engine/rows-to.js';
import { generate } from '../generator/generator.js';
import { batchesOf } from '../input.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { Event } from '../model.js';
import { references } from '../reference/references.js';
import { sortedTexts } from '../row-set.js';

const events = [...generate({ seed: 11, events: 24_000, rate: 400, disorderMs: 3_000 })];

test.each(['q5', 'q7', 'q8', 'q11'] as const)(
  '%s gives rows while the source holds events back',
  async (query) => {
    const source = new Feed<Event>();
    const sink = new CollectingSink();
    const job = run(queryJob(query, { source, sink: rowsTo(sink) }));
    await source.push(batchesOf(events.slice(0, 16_000)));
    const early = sortedTexts(sink.rows);
    expect(early.length).toBeGreaterThan(0);
    expect(job.progress().status).toBe('running');
    await source.push(batchesOf(events.slice(16_000)));
    source.end();
    await job.done;
    const rows = sortedTexts(sink.rows);
    expect(rows.length).toBeGreaterThan(early.length);
    expect(rows).toEqual(sortedTexts(references[query](events)));
  },
);
