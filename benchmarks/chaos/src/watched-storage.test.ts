import { SimulatedDisk } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import type { CommitStep } from './commit-steps.js';
import type { Failpoint, LifeEvent } from './life-protocol.js';
import { StepWatcher } from './step-watcher.js';
import { watchedStorage } from './watched-storage.js';

const places = { checkpoints: '/c', output: '/out/rows' };
const bytes = new TextEncoder().encode('rows');

class Killed extends Error {}

/** A storage that throws where the process would end. */
async function watched(failpoint: Failpoint | undefined) {
  const disk = new SimulatedDisk();
  await disk.makeFolder('/out');
  await disk.makeFolder('/c/committed');
  const told: LifeEvent[] = [];
  const steps = new StepWatcher<CommitStep>({
    failpoint,
    tell: (event) => told.push(event),
    kill: () => {
      throw new Killed();
    },
  });
  const storage = watchedStorage(disk, places, steps);
  /** Publishes rows; a commit came before them if it is said. */
  const publish = async (commit: 'commit' | 'no commit') => {
    if (commit === 'commit') await (await storage.create('/c/committed/blob')).close();
    if (commit === 'commit') await storage.link('/c/committed/blob', '/c/committed/1-1');
    const file = await storage.open('/out/rows');
    await file.write(bytes, 0);
    await file.sync();
  };
  return { disk, told, publish };
}

const at = (moment: 'before' | 'during' | 'after', occurrence = 1): Failpoint => ({
  kind: 'step',
  step: 'output write',
  moment,
  occurrence,
});

describe('a watched storage', () => {
  test.each([
    ['before', 0],
    ['during', 2],
    ['after', 4],
  ] as const)('kills %s a step', async (moment, written) => {
    const { disk, told, publish } = await watched(at(moment));
    await expect(publish('commit')).rejects.toThrow(Killed);
    expect(await disk.size('/out/rows')).toBe(written);
    expect(told.at(-1)).toEqual({ kind: 'failpoint', step: 'output write' });
  });

  test('counts from the first commit on', async () => {
    const { publish } = await watched(at('before', 2));
    await publish('no commit');
    await publish('commit');
    await expect(publish('no commit')).rejects.toThrow(Killed);
  });

  test('kills ahead of a call at the start', async () => {
    const { disk, publish } = await watched({ kind: 'start', call: 1 });
    await expect(publish('no commit')).rejects.toThrow(Killed);
    expect(await disk.size('/out/rows')).toBeUndefined();
  });

  test('tells of each step, and of commits', async () => {
    const { told, publish } = await watched(undefined);
    await publish('commit');
    expect(told).toEqual([
      { kind: 'committed' },
      { kind: 'begun', step: 'mark link' },
      { kind: 'ended', step: 'mark link' },
      { kind: 'begun', step: 'output write' },
      { kind: 'ended', step: 'output write' },
      { kind: 'begun', step: 'output sync' },
      { kind: 'ended', step: 'output sync' },
    ]);
  });
});
