import type { CompareAndSetResult } from '@millrace/core/spi';
import { metaStoreConformance, SimulatedDisk, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { FolderMetaStore } from './folder-meta-store.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Each process has random numbers of its own, as it has in the world. */
const openStore = (disk: SimulatedDisk, process: string, seed: number): FolderMetaStore =>
  new FolderMetaStore({
    storage: disk.process(process),
    folder: '/commits',
    random: virtualEnv({ seed }).random,
  });

async function commit(store: FolderMetaStore, times: number): Promise<void> {
  for (let done = 0; done < times; done++) {
    const revision = (await store.read('commit'))?.revision ?? 0;
    const { ok } = await store.compareAndSet('commit', revision, bytesOf(`value ${revision + 1}`));
    if (!ok) throw new Error(`revision ${revision + 1} was lost without a rival`);
  }
}

const settled = () => new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')));

describe('records in a folder', () => {
  const create = async () => {
    const disk = new SimulatedDisk();
    let views = 0;
    return () => {
      views += 1;
      return openStore(disk, `process ${views}`, views * 7919);
    };
  };
  for (const { name, run } of metaStoreConformance('folder', create)) test(name, run);

  test('only the last revisions stay', async () => {
    const disk = new SimulatedDisk();
    await commit(openStore(disk, 'one', 1), 40);
    const names = await disk.list('/commits/commit');
    expect(names).toHaveLength(16);
    expect(names[0]).toBe('0000000000025.rec');
  });

  test('a damaged newest revision is an error, not an older record', async () => {
    for (let atByte = 0; atByte < 100; atByte += 7) {
      const disk = new SimulatedDisk();
      const store = openStore(disk, 'one', 1);
      await commit(store, 3);
      disk.damage('/commits/commit/0000000000003.rec', atByte);
      const corrupt = { code: 'ERR_CHECKPOINT_CORRUPT' };
      await expect(store.read('commit')).rejects.toMatchObject(corrupt);
      await expect(store.compareAndSet('commit', 3, bytesOf('x'))).rejects.toMatchObject(corrupt);
    }
  });

  test('what was read outlives a power cut', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const disk = new SimulatedDisk();
      await commit(openStore(disk, 'writer', 1), 1);
      disk.onStep(({ process, operation, when }) => {
        const linked = process === 'writer' && operation === 'link' && when === 'after';
        return linked ? new Promise(() => {}) : undefined;
      });
      void openStore(disk, 'writer', 2).compareAndSet('commit', 1, bytesOf('read by others'));
      await settled();
      const read = await openStore(disk, 'reader', 3).read('commit');
      expect(read?.revision).toBe(2);
      disk.powerCut(virtualEnv({ seed }).random);
      expect((await openStore(disk, 'reader', 4).read('commit'))?.revision).toBe(2);
    }
  });

  test('the name of a living writer may be cleaned away: it rejects, and tries again', async () => {
    const disk = new SimulatedDisk();
    let wake = (): void => {};
    disk.onStep(({ process, operation, when }) =>
      process === 'slow' && operation === 'link' && when === 'before'
        ? new Promise((resolve) => {
            wake = resolve;
          })
        : undefined,
    );
    const slow = openStore(disk, 'slow', 1);
    const first = slow.compareAndSet('commit', 0, bytesOf('a'));
    await settled();
    await openStore(disk, 'other', 2).clean('commit', async () => undefined);
    wake();
    await expect(first).rejects.toMatchObject({ code: 'ERR_STORAGE_MISSING' });
    const again = slow.compareAndSet('commit', 0, bytesOf('a'));
    await settled();
    wake();
    expect(await again).toEqual({ ok: true, revision: 1 });
  });
});

interface Sleep {
  /** The sleeper's answer, or why it rejected; undefined when it was done before that step. */
  readonly answer: CompareAndSetResult | 'rejected' | undefined;
  readonly disk: SimulatedDisk;
  /** Which the others had before the sleeper was woken. */
  readonly revision: number;
}

/** One writer sleeps at a step of its compare-and-set while others commit `rivals` times. */
async function sleepAt(step: number, before: number, rivals: number): Promise<Sleep> {
  const disk = new SimulatedDisk();
  const other = openStore(disk, 'other', 99);
  await commit(other, before);
  let steps = 0;
  let wake = (): void => {};
  disk.onStep(({ process }) => {
    if (process !== 'sleeper' || ++steps !== step) return undefined;
    return new Promise((resolve) => {
      wake = resolve;
    });
  });
  const sleeper = openStore(disk, 'sleeper', 1);
  const call = sleeper
    .compareAndSet('commit', before, bytesOf('sleeper'))
    .catch((): 'rejected' => 'rejected');
  const asleep = (await Promise.race([call, settled()])) === 'waiting';
  await commit(other, rivals);
  const revision = (await other.read('commit'))!.revision;
  wake();
  return { answer: asleep ? await call : undefined, disk, revision };
}

describe('a writer that slept', () => {
  const cases = [0, 1, 3, 20].flatMap((before) =>
    [1, 2, 5, 15, 16, 17, 18, 40].map((rivals) => ({ before, rivals })),
  );
  test.each(cases)(
    'at any step after revision $before, while others had $rivals: wins only what nobody else has',
    async ({ before, rivals }) => {
      const answers = new Set<string>();
      for (let step = 1; ; step++) {
        const { answer, disk, revision } = await sleepAt(step, before, rivals);
        if (answer === undefined) break;
        const won = answer !== 'rejected' && answer.ok;
        answers.add(won ? 'won' : answer === 'rejected' ? 'rejected' : 'lost');
        // The others had one revision after another; with the sleeper's one there is one more.
        const had = revision - before;
        if (answer === 'rejected') expect(rivals).toBeGreaterThanOrEqual(16);
        else expect(had, `step ${step}`).toBe(won ? rivals + 1 : rivals);

        const store = openStore(disk, 'late', 5);
        const record = (await store.read('commit'))!;
        expect(record.revision).toBe(revision);
        expect(textOf(record.value)).toBe(`value ${revision}`);
        expect(await store.compareAndSet('commit', before, bytesOf('x'))).toEqual({ ok: false });
        await commit(store, 1);
        expect((await disk.list('/commits/commit')).length).toBeLessThanOrEqual(16);
      }
      expect(answers).toContain('won');
      expect(answers).toContain('lost');
    },
  );
});
