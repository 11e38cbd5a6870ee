import { afterAll, describe, expect, test } from 'vitest';
import { generate } from '../generator/generator.js';
import { batchesOf } from '../input.js';
import { loops, typedLoops } from '../loops/loops.js';
import { type QueryName, queryNames } from '../model.js';
import { type Contender, engineContender, loopContender } from './contender.js';
import { GcPauses } from './gc-pauses.js';
import { measure } from './measure.js';
import { digestOf } from './row-hash.js';
import { repeated } from './shifted-batches.js';

const pauses = new GcPauses();
afterAll(() => pauses.close());

test('measure begins with each contender, then lets them run in turn', async () => {
  const runs: string[] = [];
  const contender = (name: string): Contender => ({
    name,
    start: () => ({
      push: () => {
        runs.push(name);
      },
      end: () => {
        runs.push(`${name} ended`);
      },
    }),
  });
  const events = batchesOf([...generate({ seed: 1, events: 10, rate: 10, disorderMs: 0 })]);
  const options = { rounds: 2, roundSeconds: 0, coldSeconds: 0 };
  const measured = await measure([contender('a'), contender('b')], events, pauses, options);
  const rounds = ['a', 'b', 'a', 'b', 'a', 'b'];
  expect(runs).toEqual(['a', 'b', ...rounds, 'a ended', 'b ended']);
  expect(measured.map(({ name }) => name)).toEqual(['a', 'b']);
  for (const { cold, steady } of measured) {
    expect(cold).toBeGreaterThan(0);
    expect(steady).toBeGreaterThan(0);
  }
});

describe('what bench compares', () => {
  const events = repeated(
    batchesOf([...generate({ seed: 3, events: 5_000, rate: 200, disorderMs: 3_000 })]),
    12_000,
  );
  const contenders = (query: QueryName): Contender[] =>
    [loops[query], typedLoops[query] ?? []].flat().map((loop) => loopContender(query, loop));

  test.each(queryNames)('%s gives the same rows in all ways', async (query) => {
    const digest = await digestOf(engineContender(query), events);
    expect(digest).toMatch(/^[1-9]\d* rows/);
    for (const contender of contenders(query)) {
      expect(await digestOf(contender, events)).toBe(digest);
    }
  });

  test('of different rows the digests differ', async () => {
    const [q0, q1] = [engineContender('q0'), engineContender('q1')];
    expect(await digestOf(q0, events)).not.toBe(await digestOf(q1, events));
  });
});
