import type { Sink } from '@millrace/core/spi';
import { SimulatedDisk, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { csvSink } from './csv-sink.js';
import {
  type CommitRecord,
  hiddenFiles,
  newCommitRecord,
  recordCount,
  runProcess,
  visibleFiles,
} from './file-sink-driver.js';
import { ndjsonSink } from './ndjson-sink.js';

const columns = ['n', 'text'] as const;
const layouts: readonly [string, Sink<never>][] = [
  ['a growing CSV file', csvSink({ path: '/out/rows.csv', columns })],
  ['a growing NDJSON file', ndjsonSink({ path: '/out/rows.ndjson' })],
  ['a folder of CSV parts', csvSink({ path: '/out/', columns })],
];

async function newDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await disk.makeFolder('/out');
  return disk;
}

/** All rows that readers see, in the order of the checkpoints; parts have a header each. */
async function rowsOn(disk: SimulatedDisk): Promise<string> {
  const files = [...(await visibleFiles(disk, '/out'))];
  if (files.every(([name]) => !name.startsWith('part-'))) return files[0]?.[1] ?? '';
  const checkpointOf = (name: string): number => Number(name.split(/[-.]/)[2]);
  const parts = files.sort(([a], [b]) => checkpointOf(a) - checkpointOf(b)).map(([, text]) => text);
  for (const text of parts) expect(text).toMatch(/^n,text\n./);
  return parts.map((text) => text.slice('n,text\n'.length)).join('');
}

async function undisturbed(sink: Sink<never>) {
  const disk = await newDisk();
  let steps = 0;
  const stop = disk.onStep(() => {
    steps += 1;
    return undefined;
  });
  await runProcess(disk, 'first', sink, newCommitRecord());
  stop();
  return { rows: await rowsOn(disk), files: await visibleFiles(disk, '/out'), steps };
}

/** Runs a process until a step of its disk, where `strike` ends it; false when it got through. */
async function runUntil(
  disk: SimulatedDisk,
  process: string,
  sink: Sink<never>,
  record: CommitRecord,
  strike: { readonly atStep: number; readonly happen: () => void },
): Promise<boolean> {
  let steps = 0;
  const struck = new Promise<'struck'>((resolve) => {
    const stop = disk.onStep((step) => {
      if (step.process !== process || steps++ !== strike.atStep) return undefined;
      stop();
      strike.happen();
      resolve('struck');
      return undefined;
    });
  });
  return (await Promise.race([runProcess(disk, process, sink, record), struck])) === 'struck';
}

describe.each(layouts)('%s is the same as undisturbed', (_name, sink) => {
  test('when its process crashes at any step', async () => {
    const { rows, steps } = await undisturbed(sink);
    for (let atStep = 0; atStep < steps; atStep += 1) {
      const disk = await newDisk();
      const record = newCommitRecord();
      const happen = () => disk.crashProcess('first');
      expect(await runUntil(disk, 'first', sink, record, { atStep, happen })).toBe(true);
      expect(rows.startsWith(await rowsOn(disk))).toBe(true);
      await runProcess(disk, 'second', sink, record);
      expect(await rowsOn(disk)).toBe(rows);
      expect(await hiddenFiles(disk, '/out')).toEqual([]);
    }
  });

  test('when the power is cut at any step, and again while it recovers', async () => {
    const { rows, steps } = await undisturbed(sink);
    for (let atStep = 0; atStep < steps; atStep += 1) {
      for (let seed = 1; seed <= 4; seed += 1) {
        const disk = await newDisk();
        const record = newCommitRecord();
        const { random } = virtualEnv({ seed: seed * 7_919 + atStep });
        const happen = () => disk.powerCut(random);
        await runUntil(disk, 'first', sink, record, { atStep, happen });
        const again = Math.floor(random.next() * 40);
        if (await runUntil(disk, 'second', sink, record, { atStep: again, happen })) {
          await runProcess(disk, 'third', sink, record);
        }
        expect(await rowsOn(disk)).toBe(rows);
        // What was published outlives one more.
        disk.powerCut(random);
        expect(await rowsOn(disk)).toBe(rows);
      }
    }
  });

  test.each([0, 60])(
    'when a process that was paused wakes while its successor works, after a crash at step %d',
    async (crashedAt) => {
      const { rows, steps } = await undisturbed(sink);
      for (let pausedAt = 0; pausedAt < steps - crashedAt; pausedAt += 1) {
        for (let wokenAt = pausedAt % 7; wokenAt < steps - crashedAt; wokenAt += 7) {
          const disk = await newDisk();
          const record = newCommitRecord();
          const happen = () => disk.crashProcess('first');
          await runUntil(disk, 'first', sink, record, { atStep: crashedAt, happen });
          await runWithZombie(disk, sink, record, { pausedAt, wokenAt });
          expect(await rowsOn(disk)).toBe(rows);
        }
      }
    },
  );
});

/** A process pauses at one of its steps, and goes on at a step of its successor or after it. */
async function runWithZombie(
  disk: SimulatedDisk,
  sink: Sink<never>,
  record: CommitRecord,
  { pausedAt, wokenAt }: { readonly pausedAt: number; readonly wokenAt: number },
): Promise<void> {
  const taken = { zombie: 0, successor: 0 };
  const [pause, paused] = signal();
  const [wake, woken] = signal();
  disk.onStep(({ process }) => {
    if (process === 'zombie' && taken.zombie++ === pausedAt) {
      pause();
      return woken;
    }
    if (process !== 'successor' || taken.successor++ !== wokenAt) return undefined;
    wake();
    return zombie;
  });
  // It may end in any error, once it is not the owner any more.
  const zombie = runProcess(disk, 'zombie', sink, record).catch(() => {});
  await Promise.race([paused, zombie]);
  await runProcess(disk, 'successor', sink, record);
  wake();
  await zombie;
}

function signal(): readonly [notify: () => void, notified: Promise<void>] {
  let notify = (): void => {};
  const notified = new Promise<void>((resolve) => {
    notify = resolve;
  });
  return [notify, notified];
}

test('readers see the rows of committed checkpoints only', async () => {
  const sink = csvSink({ path: '/out/rows.csv', columns });
  const { rows } = await undisturbed(sink);
  const disk = await newDisk();
  const record = newCommitRecord();
  const seen = new Set<number>();
  disk.onStep(async ({ process }) => {
    if (process !== 'first') return;
    const lines = (await rowsOn(disk)).split('\n').length - 1;
    const committed = record.committed?.nextRecord ?? -1;
    expect(lines).toBeLessThanOrEqual(committed + 1);
    seen.add(lines);
  });
  await runProcess(disk, 'first', sink, record);
  expect(rows.split('\n')).toHaveLength(recordCount + 2);
  expect([...seen]).toEqual([0, 3, 5, 7, 9, 11, 13, 15]);
});
