import { checkpointStoreConformance, SimulatedDisk, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../host/digest.js';
import { FolderCheckpointStore } from './folder-checkpoint-store.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const openStore = (disk: SimulatedDisk, seed = 1): FolderCheckpointStore =>
  new FolderCheckpointStore({ storage: disk, folder: '/job', random: virtualEnv({ seed }).random });

async function put(store: FolderCheckpointStore, name: string, text: string): Promise<void> {
  const writer = await store.create(name);
  await writer.write(bytesOf(text));
  await writer.complete();
}

describe('a folder of blobs', () => {
  const create = async () => ({
    store: openStore(new SimulatedDisk(), 1),
    other: openStore(new SimulatedDisk(), 2),
  });
  for (const { name, run } of checkpointStoreConformance('folder', create)) test(name, run);

  test('a blob is nothing or whole, whenever the power is cut', async () => {
    for (let crashAt = 1, whole = false; !whole; crashAt++) {
      for (let seed = 1; seed <= 10; seed++) {
        const disk = new SimulatedDisk();
        const { random } = virtualEnv({ seed });
        let steps = 0;
        const disarm = disk.onStep(() => {
          steps += 1;
          if (steps === crashAt) disk.powerCut(random);
          return undefined;
        });
        const written = put(openStore(disk), 'segments/a', 'the content').then(() => true);
        const idle = new Promise<false>((resolve) => setImmediate(() => resolve(false)));
        whole = await Promise.race([written, idle]);
        disarm();
        disk.powerCut(random);

        const store = openStore(disk, 2);
        const found = await store.list('segments/');
        if (whole) expect(found).toEqual(['segments/a']);
        for (const name of found) expect(textOf(await store.read(name))).toBe('the content');
        await store.clean(async () => undefined);
        expect(await disk.list('/job/.aside')).toEqual([]);
        await put(store, 'segments/a', 'the content');
      }
    }
  });

  test('what a disk changed while it wrote is noticed at once', async () => {
    const disk = new SimulatedDisk();
    disk.onStep(({ operation, when, path }) => {
      if (operation === 'rename' && when === 'before') disk.damage(path, 3);
      return undefined;
    });
    await expect(put(openStore(disk), 'segments/a', 'the content')).rejects.toMatchObject({
      code: 'ERR_STORAGE_FAILED',
    });
  });

  test('a writer that fails leaves nothing behind', async () => {
    for (const operation of ['write', 'sync', 'rename', 'syncFolder', 'read'] as const) {
      const disk = new SimulatedDisk();
      const store = openStore(disk);
      const writer = await store.create('segments/a');
      disk.failNext({ code: 'ERR_STORAGE_FAILED', operation });
      const written = writer.write(bytesOf('text')).then(() => writer.complete());
      await expect(written, operation).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
      await writer.abort();
      expect(await store.list(''), operation).toEqual([]);
      expect(await disk.list('/job/.aside'), operation).toEqual([]);
    }
  });

  test('a writer that is given up while it completes rejects, and leaves nothing behind', async () => {
    for (const operation of ['sync', 'rename', 'syncFolder', 'read'] as const) {
      const disk = new SimulatedDisk();
      const store = openStore(disk);
      const writer = await store.create('segments/a');
      await writer.write(bytesOf('text'));
      const stop = disk.onStep((step) => {
        if (step.operation === operation && step.when === 'before') void writer.abort();
        return undefined;
      });
      await expect(writer.complete(), operation).rejects.toMatchObject({
        code: 'ERR_STORAGE_FAILED',
      });
      stop();
      expect(await store.list(''), operation).toEqual([]);
      expect(await disk.list('/job/.aside'), operation).toEqual([]);
    }
  });

  test('adopting links where it can, and copies where there are no links', async () => {
    const disk = new SimulatedDisk({ capacityBytes: 150 });
    const store = openStore(disk);
    await put(store, 'savepoints/s/a', 'x'.repeat(100));
    await store.adopt(store, 'savepoints/s/a', 'segments/linked');
    expect(await store.size('segments/linked')).toBe(100);

    disk.setCapacity(1_000);
    disk.failNext({ code: 'ERR_STORAGE_FAILED', operation: 'link' });
    await store.adopt(store, 'savepoints/s/a', 'segments/copied');
    disk.damage('/job/savepoints/s/a');
    expect(sha256(await store.read('segments/copied'))).toBe(sha256(bytesOf('x'.repeat(100))));
    expect(textOf(await store.read('segments/linked'))).not.toBe('x'.repeat(100));
  });

  test('names that would leave the folder are refused', async () => {
    const store = openStore(new SimulatedDisk());
    for (const name of ['../a', 'a/../b', '/a', 'a//b', '', '.aside/x']) {
      await expect(store.create(name), name).rejects.toMatchObject({ code: 'ERR_INVARIANT' });
    }
  });
});
