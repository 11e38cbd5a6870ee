import { expect, test } from 'vitest';
import { measure } from './bench.js';

test('measure interleaves contenders and leaves out the warm-ups', async () => {
  const runs: string[] = [];
  const contender = (name: string, rows: number) => ({
    name,
    run: (): number => {
      runs.push(name);
      return rows;
    },
  });
  const options = { rounds: 2, warmups: 1 };
  const measured = await measure([contender('a', 3), contender('b', 5)], options);
  expect(runs).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  expect(measured.map(({ name, rows }) => [name, rows])).toEqual([
    ['a', 3],
    ['b', 5],
  ]);
  for (const { cpuSeconds, wallSeconds } of measured) {
    expect(cpuSeconds).toBeGreaterThanOrEqual(0);
    expect(wallSeconds).toBeGreaterThanOrEqual(0);
  }
});
