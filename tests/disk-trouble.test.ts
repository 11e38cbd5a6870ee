import type { MillraceError } from '@millrace/core';
import type { SimulatedDisk } from '@millrace/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type DurableProcess,
  diskForJobs,
  linesOf,
  pass,
  paymentsJob,
  start,
} from './durable-rig.js';

const total = 4_000;
let undisturbed: string[];

beforeAll(async () => {
  const disk = await diskForJobs();
  const process = start(disk, paymentsJob('/out', total));
  await pass(process);
  await process.handle.done;
  undisturbed = await linesOf(disk);
});

const checkpointsOf = ({ handle }: DurableProcess) => handle.progress().checkpoints!;

/** A job that has committed, on a disk of its own. */
async function running() {
  const disk = await diskForJobs();
  const process = start(disk, paymentsJob('/out', total));
  await pass(process, () => checkpointsOf(process)?.committed !== undefined);
  return { disk, process };
}

/** Lets it go on until checkpoints fail, and then for some hundred records more. */
async function goOnWithAlarm(process: DurableProcess): Promise<MillraceError> {
  await pass(process, () => checkpointsOf(process).alarm !== undefined);
  const { recordsIn } = process.handle.progress();
  await pass(process, () => process.handle.progress().recordsIn > recordsIn + 500);
  expect(process.handle.progress()).toMatchObject({ attempts: 1, status: 'running' });
  return checkpointsOf(process).alarm!;
}

describe('a disk that fails under the checkpoints', () => {
  test('for good: the job goes on with one warning, and commits again when it is mended', async () => {
    const { disk, process } = await running();
    disk.failRate(1, { code: 'ERR_STORAGE_FAILED', path: '/checkpoints' }, process.env.random);
    expect((await goOnWithAlarm(process)).code).toBe('ERR_STORAGE_FAILED');
    const warnings = process.env.logged.filter(({ message }) => message.includes('without them'));
    expect(warnings).toMatchObject([{ level: 'warn', fields: { code: 'ERR_STORAGE_FAILED' } }]);
    disk.heal();
    const { committed } = checkpointsOf(process);
    await pass(process, () => checkpointsOf(process).alarm === undefined);
    expect(checkpointsOf(process).committed).toBeGreaterThan(committed!);
    await pass(process);
    await process.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test.each(['write', 'sync', 'rename', 'link', 'read', 'syncFolder'] as const)(
    'now and then, at %s: some checkpoints succeed, and the output is right',
    async (operation) => {
      const { disk, process } = await running();
      const fault = { code: 'ERR_STORAGE_FAILED', path: '/checkpoints', operation } as const;
      disk.failRate(0.1, fault, process.env.random);
      await pass(process, () => checkpointsOf(process).failed > 2);
      const { committed } = checkpointsOf(process);
      await pass(process, () => checkpointsOf(process).committed! > committed!);
      await pass(process);
      await process.handle.done;
      expect(await linesOf(disk)).toEqual(undisturbed);
    },
  );
});

describe('a checkpoint folder that is emptied under a running job', () => {
  test('ends it, as nothing it could restore is left, and what it published stays', async () => {
    const { disk, process } = await running();
    await empty(disk, '/checkpoints');
    await pass(process);
    await expect(process.handle.done).rejects.toMatchObject({ code: 'ERR_METADATA_ROLLBACK' });
    expect(process.handle.progress().attempts).toBe(1);
    const published = await linesOf(disk);
    expect(published.filter((line) => !undisturbed.includes(line))).toEqual([]);
    expect(published.length).toBeLessThan(undisturbed.length);
  });
});

async function empty(disk: SimulatedDisk, folder: string): Promise<void> {
  for (const name of await disk.list(folder)) {
    const path = `${folder}/${name}`;
    if ((await disk.size(path)) === undefined) await empty(disk, path);
    else await disk.remove(path);
  }
}
