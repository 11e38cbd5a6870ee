import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import {
  aggregate,
  count,
  keyBy,
  operatorListState,
  process,
  rebalance,
  sinkTo,
  tumbling,
  type,
  window,
} from '@millrace/operators';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entriesIn } from '../checkpoint/checkpoint-folder.js';
import { nodeEnv } from '../host/node-env.js';
import { run } from '../job/run.js';
import { diffState, getState, scanState } from './state-command.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Windows of the keys 0 to 4, and a list in each of two subtasks. */
const job = defineJob('looked-at', {}, (builder) => {
  const numbers = generator<number>({
    seed: 1,
    count: 1e6,
    ratePerSecond: 1_000,
    create: (n) => n,
  });
  const input = builder.source(
    'numbers',
    numbers,
    watermarks((n) => n * 10),
  );
  input.pipe(
    keyBy((n) => n % 5),
    window('sums', tumbling('1d')),
    aggregate({ n: count() }),
    sinkTo('out', new RecordingSink()),
  );
  input.pipe(
    rebalance(),
    process('kept', {
      output: type<number>(),
      state: { all: operatorListState<number>() },
      process: (n, ctx) => {
        if (n < 2_000) ctx.state.all.add(n);
      },
    }),
    sinkTo('kept-out', new RecordingSink()),
  );
});

/** The points of the folder, oldest first. */
let points: readonly string[];

beforeAll(async () => {
  const env = virtualEnv({ storage: nodeEnv().storage, seed: 1 });
  const checkpoints = { folder, interval: '500ms' } as const;
  const handle = run(job, { env, parallelism: 2, checkpoints });
  while ((handle.progress().checkpoints?.completed ?? 0) < 6) {
    env.advance(20);
    await env.scheduler.yield();
  }
  await handle.cancel();
  points = (await entriesIn(nodeEnv(), folder)).map(({ name }) => name).reverse();
});

/** What a command prints on standard output, by line. */
async function linesOf(
  command: (terminal: { out(text: string): void; err(text: string): void }) => Promise<void>,
): Promise<readonly string[]> {
  const lines: string[] = [];
  await command({ out: (text) => lines.push(text), err: () => {} });
  return lines;
}

describe('state get', () => {
  const get = (operator: string, key: string, state?: string) =>
    linesOf((terminal) => getState(folder, [operator, key], { state }, terminal));

  test('prints the state of a key, and no time of the key group with that number', async () => {
    const lines = await get('sums', '3');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(' fired '))).toEqual([]);
  });

  test.each([
    ['sums', '17'],
    ['kept', '0'],
  ])('says of %s that it has no state of key %s', async (operator, key) => {
    await expect(get(operator, key)).rejects.toThrow(`${operator} has no state of key ${key}`);
  });

  test('prints times of key groups and lists where their state is named', async () => {
    expect(await get('sums', '17', 'fired')).toEqual([
      expect.stringMatching(/^sums fired 17 = \d+$/),
    ]);
    const [first, second] = await get('kept', '0', 'all');
    expect(first).toMatch(/^kept all 0 in task-0-of-2 = [01]$/);
    expect(second).toMatch(/^kept all 0 in task-1-of-2 = [01]$/);
  });
});

describe('state diff', () => {
  const diff = (options: { readonly state?: string; readonly operator?: string }) =>
    linesOf((terminal) =>
      diffState(folder, [points[0]!, points[1]!], { limit: 1_000, ...options }, terminal),
    );

  test('leaves out times of key groups', async () => {
    const lines = await diff({ operator: 'sums' });
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(' fired '))).toEqual([]);
  });

  test('compares one state where it is named', async () => {
    const lines = await diff({ state: 'fired' });
    expect(lines).toHaveLength(256);
    for (const line of lines) expect(line).toMatch(/^~ sums fired \d+ = \d+ → \d+$/);
  });
});

test('state scan names the tasks that lists are of', async () => {
  const options = { operator: 'kept', limit: 10_000 };
  const lines = await linesOf((terminal) => scanState(folder, options, terminal));
  const tasks = new Set(lines.map((line) => / in (\S+) = /.exec(line)?.[1]));
  expect([...tasks].sort()).toEqual(['task-0-of-2', 'task-1-of-2']);
});
