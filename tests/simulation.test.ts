import { readFileSync } from 'node:fs';
import {
  type AroundJob,
  addReports,
  emptyReport,
  minimiseSeed,
  type OracleName,
  simulateSeed,
  simulateSeeds,
} from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { plantedBugs } from '../benchmarks/simulation/src/planted/all-bugs.js';
import {
  eagerSink,
  forgetfulDisk,
  forgetfulSink,
  hastySource,
} from '../benchmarks/simulation/src/planted/around.js';
import { editSource, fileOf } from '../benchmarks/simulation/src/planted/edit-modules.js';

describe('random jobs in an unkind world', () => {
  let report = emptyReport;

  test.each([1, 16, 31, 46, 61])('keep what is promised, from seed %i on', async (from) => {
    const some = await simulateSeeds({ from, count: 15 });
    report = addReports(report, some);
    expect(some.violations).toEqual([]);
  });

  test('meet much that is unkind', () => {
    expect(report.committedCheckpoints / report.seeds).toBeGreaterThan(10);
    const faults = Object.values(report.effectiveFaults).reduce((sum, count) => sum + count, 0);
    expect(faults / report.seeds).toBeGreaterThan(5);
    expect(report.starts / report.seeds).toBeGreaterThan(2);
    expect(report.unalignedCheckpoints).toBeGreaterThan(10);
    expect(report.effectiveFaults.linkLoss).toBeGreaterThan(10);
  });

  test.each([3, 11, 17])('the same seed gives the same run: %i', async (seed) => {
    const first = await simulateSeed(seed);
    const second = await simulateSeed(seed);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.picks).toBe(first.picks);
    expect((await simulateSeed(seed + 1)).traceHash).not.toBe(first.traceHash);
  });
});

describe('a planted bug is found within a few hundred seeds', () => {
  test.each<[string, AroundJob, readonly OracleName[]]>([
    ['a sink that publishes before the commit', { sink: eagerSink }, ['output', 'sink']],
    ['a sink that forgets what was prepared', { sink: forgetfulSink }, ['output', 'sink']],
    ['a disk whose sync does nothing', { storage: forgetfulDisk }, ['checkpoints', 'failure']],
    ['a source that goes on one record too far', { source: hastySource }, ['output']],
  ])('%s', async (_name, around, oracles) => {
    let found: OracleName | undefined;
    const report = await simulateSeeds({
      around,
      count: 300,
      onSeed: ({ violation }) => {
        found = violation?.oracle;
        return found === undefined ? 'go on' : 'stop';
      },
    });
    expect(oracles).toContain(found);
    expect(report.seeds).toBeLessThan(300);
  });

  test('and made smaller', async () => {
    const around = { source: hastySource };
    let failing = 0;
    await simulateSeeds({
      around,
      count: 300,
      onSeed: ({ seed, violation }) => {
        failing = seed;
        return violation === undefined ? 'go on' : 'stop';
      },
    });
    const whole = await simulateSeed(failing, { around });
    const smallest = await minimiseSeed(failing, { around, runsMax: 60 });
    expect(smallest.violation?.oracle).toBe(whole.violation?.oracle);
    expect(smallest.records).toBeLessThan(whole.records / 4);
    expect(smallest.case.job.branches).toHaveLength(1);
  });
});

test.each(plantedBugs)('$name: can still be planted', ({ edits }) => {
  for (const edit of edits) {
    const built = readFileSync(new URL(`../packages/${fileOf(edit.module)}`, import.meta.url));
    expect(() => editSource(built.toString(), [edit])).not.toThrow();
  }
});
