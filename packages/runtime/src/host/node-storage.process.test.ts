import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storageConformance } from '@millrace/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeStorage } from './node-storage.js';

const root = mkdtempSync(join(tmpdir(), 'millrace-storage-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const create = async () => ({
  storage: nodeStorage,
  folder: mkdtempSync(join(root, 'case-')),
});

describe('the storage of this machine', () => {
  for (const { name, run } of storageConformance('node', create)) test(name, run);

  test('an old file that cannot be overwritten is ERR_STORAGE_READ_ONLY', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may write everywhere');
    const { folder } = await create();
    chmodSync(folder, 0o500);
    await expect(nodeStorage.create(`${folder}/a`)).rejects.toMatchObject({
      code: 'ERR_STORAGE_READ_ONLY',
    });
  });
});

/** Mounts a small file system in memory; a reason when that is not possible here. */
function mountSmall(folder: string, options: string): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is a file system of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount';
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'mounting is not allowed here';
  }
}

describe('a file system', () => {
  const mounted: string[] = [];
  afterAll(() => {
    for (const folder of mounted) execFileSync('/bin/umount', [folder]);
  });

  test('that is full is ERR_STORAGE_FULL, and works again with space', async (context) => {
    const { folder } = await create();
    const why = mountSmall(folder, 'size=64k');
    if (why !== undefined) context.skip(why);
    mounted.push(folder);

    const file = await nodeStorage.create(`${folder}/a`);
    await expect(file.write(new Uint8Array(200_000), 0)).rejects.toMatchObject({
      code: 'ERR_STORAGE_FULL',
      retryable: true,
    });
    await file.close();
    await nodeStorage.remove(`${folder}/a`);
    const again = await nodeStorage.create(`${folder}/b`);
    await again.write(new Uint8Array(30_000), 0);
    await again.sync();
    await again.close();
    expect(await nodeStorage.size(`${folder}/b`)).toBe(30_000);
  });

  test('that is mounted for reading is ERR_STORAGE_READ_ONLY', async (context) => {
    const { folder } = await create();
    const why = mountSmall(folder, 'size=64k,ro');
    if (why !== undefined) context.skip(why);
    mounted.push(folder);

    for (const attempt of [
      nodeStorage.create(`${folder}/a`),
      nodeStorage.makeFolder(`${folder}/x`),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_STORAGE_READ_ONLY' });
    }
    expect(existsSync(`${folder}/a`)).toBe(false);
  });
});
