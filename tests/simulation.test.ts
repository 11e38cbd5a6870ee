import type { Sink, SinkWriter, Source, Split, Storage, StorageFile } from '@millrace/core/spi';
import {
  type AroundJob,
  minimiseSeed,
  type OracleName,
  type SimulatedRecord,
  simulateSeed,
  simulateSeeds,
} from '@millrace/testing';
import { describe, expect, test } from 'vitest';

describe('random jobs in an unkind world', () => {
  test('keep what is promised, whatever the seed', async () => {
    const report = await simulateSeeds({ from: 141, count: 40 });
    expect(report.violations).toEqual([]);
    expect(report.committedCheckpoints / report.seeds).toBeGreaterThan(10);
    const faults = Object.values(report.effectiveFaults).reduce((sum, count) => sum + count, 0);
    expect(faults / report.seeds).toBeGreaterThan(5);
    expect(report.starts / report.seeds).toBeGreaterThan(2);
  });

  test.each([3, 11, 17])('the same seed gives the same run: %i', async (seed) => {
    const first = await simulateSeed(seed);
    const second = await simulateSeed(seed);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.picks).toBe(first.picks);
    expect((await simulateSeed(seed + 1)).traceHash).not.toBe(first.traceHash);
  });
});

/** The same methods, but for some. */
function changed<T extends object>(original: T, changes: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name) => {
      if (Object.hasOwn(changes, name)) return changes[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const withWriter =
  (change: (writer: SinkWriter) => Partial<SinkWriter>) =>
  (sink: Sink<unknown>): Sink<unknown> =>
    changed(sink, {
      createWriter: (context) => {
        const writer = sink.createWriter(context);
        return writer.prepare === undefined ? writer : changed(writer, change(writer));
      },
    });

/** Publishes what it prepares before the checkpoint is committed. */
const eagerSink = withWriter((writer) => ({
  async prepare(checkpoint) {
    const prepared = await writer.prepare!(checkpoint);
    await writer.committed!(checkpoint);
    return prepared;
  },
}));

/** Forgets what its predecessor had prepared. */
const forgetfulSink = withWriter(() => ({ open: async () => undefined }));

/** Says that a file is durable, and does nothing for it. */
const forgetfulDisk = (storage: Storage): Storage => {
  const careless = (file: StorageFile): StorageFile =>
    changed(file, { sync: async () => undefined });
  return changed(storage, {
    create: async (path) => careless(await storage.create(path)),
    open: async (path) => careless(await storage.open(path)),
  });
};

/** Goes on one record behind where it should. */
const hastySource = (source: Source<SimulatedRecord>): Source<SimulatedRecord> =>
  changed(source, {
    createReader: (context) => {
      const reader = source.createReader(context);
      const ahead = ({ id, position }: Split): Split =>
        typeof position === 'number' && position > 0 ? { id, position: position + 1 } : { id };
      return changed(reader, { addSplits: (splits) => reader.addSplits(splits.map(ahead)) });
    },
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
