import type { Random, Storage } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedDisk } from './simulated-disk.js';
import { storageConformance } from './storage-conformance.js';
import { virtualEnv } from './virtual-env.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = async (storage: Storage, path: string): Promise<string> =>
  new TextDecoder().decode(await storage.read(path));
const random = (seed: number): Random => virtualEnv({ seed }).random;

async function write(storage: Storage, path: string, text: string, sync: 'sync' | 'no sync') {
  const file = await storage.create(path);
  await file.write(bytesOf(text), 0);
  if (sync === 'sync') await file.sync();
  await file.close();
}

describe('a simulated disk', () => {
  const create = async () => {
    const storage = new SimulatedDisk();
    await storage.makeFolder('/folder');
    return { storage, folder: '/folder' };
  };
  for (const { name, run } of storageConformance('simulated', create)) test(name, run);
});

/** What each of many power cuts leaves of what was done. */
async function outcomes(
  act: (disk: SimulatedDisk) => Promise<void>,
  look: (disk: SimulatedDisk) => Promise<string>,
): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const disk = new SimulatedDisk();
    await disk.makeFolder('/f');
    await act(disk);
    disk.powerCut(random(seed * 7919));
    seen.add(await look(disk));
  }
  return seen;
}

const names = async (disk: SimulatedDisk): Promise<string> => (await disk.list('/f')).join(' ');

describe('a power cut', () => {
  test('leaves what was synced, bytes and names', async () => {
    const left = await outcomes(
      async (disk) => {
        await write(disk, '/f/a', 'hello', 'sync');
        await disk.syncFolder('/f');
      },
      (disk) => read(disk, '/f/a'),
    );
    expect([...left]).toEqual(['hello']);
  });

  test('loses, tears or keeps bytes that were not synced', async () => {
    const left = await outcomes(
      async (disk) => {
        await write(disk, '/f/a', 'old', 'sync');
        await disk.syncFolder('/f');
        const file = await disk.open('/f/a');
        await file.write(bytesOf('NEW'), 0);
      },
      (disk) => read(disk, '/f/a'),
    );
    expect(left).toContain('old');
    expect(left).toContain('NEW');
    expect(left).toContain('Nld');
    expect(left).toContain('oEd');
    for (const text of left) expect(text).toMatch(/^[oN][lE][dW]$/);
  });

  test('may keep a name without its bytes, and bytes without their name', async () => {
    const left = await outcomes(
      (disk) => write(disk, '/f/a', 'hello', 'no sync'),
      async (disk) => ((await names(disk)) === '' ? 'no name' : await read(disk, '/f/a')),
    );
    expect(left).toContain('no name');
    expect(left).toContain('');
    expect(left).toContain('hello');
  });

  test('may undo a rename, but never leaves a name with half of each file', async () => {
    const left = await outcomes(
      async (disk) => {
        await write(disk, '/f/new', 'new', 'sync');
        await write(disk, '/f/a', 'old', 'sync');
        await disk.syncFolder('/f');
        await disk.rename('/f/new', '/f/a');
      },
      async (disk) => `${await names(disk)}: ${await read(disk, '/f/a')}`,
    );
    expect([...left].sort()).toEqual(['a new: old', 'a: new']);
  });

  test('may undo links and removals in any combination', async () => {
    const left = await outcomes(async (disk) => {
      await write(disk, '/f/a', '', 'sync');
      await disk.syncFolder('/f');
      await disk.link('/f/a', '/f/b');
      await disk.remove('/f/a');
    }, names);
    expect([...left].sort()).toEqual(['', 'a', 'a b', 'b']);
  });

  test('keeps nothing of a sync that failed, also when it is tried again', async () => {
    const left = await outcomes(
      async (disk) => {
        const file = await disk.create('/f/a');
        await disk.syncFolder('/f');
        await file.write(bytesOf('gone'), 0);
        disk.failNext({ code: 'ERR_STORAGE_FAILED', operation: 'sync' });
        await expect(file.sync()).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
        await file.sync();
        expect(await read(disk, '/f/a')).toBe('gone');
      },
      (disk) => read(disk, '/f/a'),
    );
    expect([...left]).toEqual(['']);
  });

  test('is the same again with the same random numbers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1 }), async (seed) => {
        const runs = await Promise.all(
          [1, 2].map(async () => {
            const disk = new SimulatedDisk();
            await disk.makeFolder('/f');
            for (const name of ['a', 'b', 'c']) await write(disk, `/f/${name}`, name, 'no sync');
            disk.powerCut(random(seed));
            return names(disk);
          }),
        );
        expect(runs[0]).toBe(runs[1]);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a process', () => {
  test('that crashed gets no answer any more, and what it wrote stays', async () => {
    const disk = new SimulatedDisk();
    const process = disk.process('one');
    await write(process, '/a', 'hello', 'no sync');
    let answered = false;
    disk.onStep((step) => {
      if (step.operation === 'remove' && step.when === 'before') disk.crashProcess('one');
      return undefined;
    });
    void process.remove('/a').then(() => {
      answered = true;
    });
    void process.list('/').then(() => {
      answered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    expect(await read(disk, '/a')).toBe('hello');
  });

  test('waits at a step for as long as the listener does', async () => {
    const disk = new SimulatedDisk();
    let wake = (): void => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    disk.onStep(({ process }) => (process === 'slow' ? asleep : undefined));
    const slow = disk.process('slow').create('/a');
    await disk.process('fast').create('/b');
    expect(await disk.process('fast').list('/')).toEqual(['b']);
    wake();
    await slow;
    expect(await disk.process('fast').list('/')).toEqual(['a', 'b']);
  });
});

describe('faults', () => {
  test('a full disk takes what fits', async () => {
    const disk = new SimulatedDisk({ capacityBytes: 8 });
    await write(disk, '/a', '12345', 'sync');
    await expect(write(disk, '/b', '12345', 'sync')).rejects.toMatchObject({
      code: 'ERR_STORAGE_FULL',
    });
    expect(await read(disk, '/b')).toBe('123');
    await disk.remove('/a');
    await write(disk, '/b', '12345', 'sync');
    expect(await read(disk, '/b')).toBe('12345');
  });

  test('a disk for reading only takes nothing', async () => {
    const disk = new SimulatedDisk();
    await write(disk, '/a', 'text', 'sync');
    disk.setReadOnly();
    const readOnly = { code: 'ERR_STORAGE_READ_ONLY' };
    await expect(disk.create('/b')).rejects.toMatchObject(readOnly);
    await expect(disk.remove('/a')).rejects.toMatchObject(readOnly);
    await expect(disk.rename('/a', '/b')).rejects.toMatchObject(readOnly);
    await expect(disk.link('/a', '/b')).rejects.toMatchObject(readOnly);
    await expect(disk.makeFolder('/x')).rejects.toMatchObject(readOnly);
    expect(await read(disk, '/a')).toBe('text');
  });

  test('an operation may fail although it was done', async () => {
    const disk = new SimulatedDisk();
    disk.failNext({ code: 'ERR_STORAGE_FAILED', operation: 'create', effect: 'done' });
    await expect(disk.create('/a')).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    expect(await disk.list('/')).toEqual(['a']);
  });

  test('a share of the operations fails, until the disk is healed', async () => {
    const disk = new SimulatedDisk();
    disk.failRate(0.5, { code: 'ERR_STORAGE_FAILED', path: 'bad' }, random(1));
    let failures = 0;
    for (let tries = 0; tries < 100; tries++) {
      await disk.size('/good');
      await disk.size('/bad').catch(() => {
        failures += 1;
      });
    }
    expect(failures).toBeGreaterThan(30);
    expect(failures).toBeLessThan(70);
    disk.heal();
    for (let tries = 0; tries < 100; tries++) await disk.size('/bad');
  });
});
