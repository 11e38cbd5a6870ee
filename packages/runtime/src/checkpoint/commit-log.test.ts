import { SimulatedDisk, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { CommitLog } from './commit-log.js';
import { folderStores } from './folder-stores.js';
import type { CommitRecord } from './manifest.js';

const record = (epoch: number, lastId: number): CommitRecord => ({
  format: 1,
  job: 'job',
  epoch,
  attempt: { number: 1, random: `epoch ${epoch}` },
  lineage: { id: 'first', parent: undefined },
  checkpoint: undefined,
  retained: [],
  lastId,
});

const openLog = (disk: SimulatedDisk, seed: number): CommitLog => {
  const env = virtualEnv({ seed, storage: disk });
  return new CommitLog(folderStores(env, '/job').meta);
};

const linkAnswerLost = {
  code: 'ERR_STORAGE_FAILED',
  operation: 'link',
  effect: 'done',
} as const;

/** Neither the write nor any reading of the record is answered. */
function loseAnswers(disk: SimulatedDisk): void {
  disk.failNext(linkAnswerLost);
  disk.failRate(1, { code: 'ERR_STORAGE_FAILED', operation: 'read' }, virtualEnv().random);
}

describe('a commit without an answer', () => {
  test('that had happened is found by its content', async () => {
    const disk = new SimulatedDisk();
    const log = openLog(disk, 1);
    disk.failNext(linkAnswerLost);
    await log.write(record(1, 1));
    await log.write(record(1, 2));
    expect(await openLog(disk, 2).load()).toEqual(JSON.parse(JSON.stringify(record(1, 2))));
  });

  test('that had happened, and is seen only by the next one, is built upon', async () => {
    const disk = new SimulatedDisk();
    const log = openLog(disk, 1);
    await log.write(record(1, 1));
    loseAnswers(disk);
    await expect(log.write(record(1, 2))).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    expect(log.record?.lastId).toBe(1);
    disk.heal();
    await log.write(record(1, 3));
    expect((await openLog(disk, 2).load())?.lastId).toBe(3);
  });

  test("is not taken for one's own when another one wrote after it", async () => {
    const disk = new SimulatedDisk();
    const log = openLog(disk, 1);
    await log.write(record(1, 1));
    loseAnswers(disk);
    await expect(log.write(record(1, 2))).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    disk.heal();
    const other = openLog(disk, 2);
    await other.load();
    await other.write(record(2, 2));
    await expect(log.write(record(1, 3))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_SUPERSEDED',
      detail: expect.stringContaining('epoch 2'),
    });
    expect((await openLog(disk, 3).load())?.epoch).toBe(2);
  });
});

test('a record that goes back while it is in use is an error of its own', async () => {
  const disk = new SimulatedDisk();
  const log = openLog(disk, 1);
  await log.write(record(1, 1));
  await log.write(record(1, 2));
  await disk.remove('/job/commits/commit/0000000000002.rec');
  await expect(log.write(record(1, 3))).rejects.toMatchObject({ code: 'ERR_METADATA_ROLLBACK' });
});

test('a record of a later format is refused', async () => {
  const disk = new SimulatedDisk();
  const { meta } = folderStores(virtualEnv({ storage: disk }), '/job');
  await meta.compareAndSet('commit', 0, new TextEncoder().encode('{"format":2}'));
  await expect(openLog(disk, 1).load()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_CORRUPT' });
});
