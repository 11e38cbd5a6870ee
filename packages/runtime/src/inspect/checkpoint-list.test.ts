import { MillraceError } from '@millrace/core';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { entriesIn, type PointEntry } from '../checkpoint/checkpoint-folder.js';
import { folderStores } from '../checkpoint/folder-stores.js';
import type { Manifest } from '../checkpoint/manifest.js';
import { writeSavepointManifest } from '../checkpoint/savepoint-manifest.js';
import { atPoint, lookAt } from './checkpoint-list.js';

const manifest = { format: 1, job: 'sums', checkpoint: 4, tasks: [], sinks: [] };

/** A job's folder with two savepoints, of which `damaged` is. */
async function folderWithDamage() {
  const env = virtualEnv();
  for (const name of ['damaged', 'whole']) {
    const { checkpoints } = folderStores(env, `/job/savepoints/${name}`);
    await writeSavepointManifest(checkpoints, 'manifest.json', manifest as unknown as Manifest);
  }
  const file = await env.storage.open('/job/savepoints/damaged/manifest.json');
  await file.write(Buffer.from('x'), 0);
  await file.close();
  return env;
}

describe('looking at a point', () => {
  test('tells damage, which hides no other point', async () => {
    const env = await folderWithDamage();
    const looks = [];
    for (const entry of await entriesIn(env, '/job')) {
      const { kind } = await lookAt(env, '/job', entry, ({ manifest }) => manifest);
      looks.push([entry.name, kind]);
    }
    expect(looks).toEqual([
      ['damaged', 'damaged'],
      ['whole', 'seen'],
    ]);
    expect(await atPoint(env, '/job', 'whole', (point) => point.manifest.checkpoint)).toBe(4);
  });

  test('tells a damaged commit record, which hides no savepoint', async () => {
    const env = await folderWithDamage();
    await env.storage.makeFolder('/job/commits/commit');
    const file = await env.storage.create('/job/commits/commit/0000000000007.rec');
    await file.write(Buffer.from('x'), 0);
    await file.close();
    const looks = [];
    for (const entry of await entriesIn(env, '/job')) {
      looks.push([entry.name, (await lookAt(env, '/job', entry, () => 0)).kind]);
    }
    expect(looks).toEqual([
      ['commit record', 'damaged'],
      ['damaged', 'damaged'],
      ['whole', 'seen'],
    ]);
    expect(await atPoint(env, '/job', 'whole', (point) => point.name)).toBe('whole');
    // Whether there is such a checkpoint, or which is the newest, only the record can say.
    for (const name of ['9', undefined]) {
      const looking = atPoint(env, '/job', name, () => 0);
      await expect(looking).rejects.toThrow(/ERR_CHECKPOINT_CORRUPT.*7\.rec is not what was/);
    }
  });

  test('tells from damage what a job has replaced and deleted since', async () => {
    const env = await folderWithDamage();
    const read = () => Promise.reject(new MillraceError('ERR_STORAGE_MISSING', 'segments/1'));
    const deleted: PointEntry = { name: '1', committedMs: 17, read };
    expect(await lookAt(env, '/job', deleted, () => 0)).toEqual({ kind: 'replaced' });
  });

  test('tells a folder that is no job’s from one where nothing is committed yet', async () => {
    const env = virtualEnv();
    const looking = () => atPoint(env, '/job', undefined, () => 0);
    await expect(looking()).rejects.toThrow(/ERR_CHECKPOINT_MISSING.*neither a job's/);
    const record = { format: 1, job: 'sums', epoch: 1, retained: [], lastId: 8 };
    const value = new TextEncoder().encode(JSON.stringify(record));
    await folderStores(env, '/job').meta.compareAndSet('commit', 0, value);
    await expect(looking()).rejects.toThrow(/ERR_CHECKPOINT_MISSING.*job sums has used \/job/);
  });

  test('names those there are where it finds none of a name', async () => {
    const looking = atPoint(await folderWithDamage(), '/job', '9', () => 0);
    await expect(looking).rejects.toThrow(/ERR_CHECKPOINT_MISSING.*no 9, but damaged, whole/);
  });
});
