import { generator } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import { flatMap, sinkTo } from '@millrace/operators';
import { folderStores } from '@millrace/runtime/internal';
import { type SimulatedDisk, virtualEnv } from '@millrace/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { diskForJobs, linesOf, start } from './durable-rig.js';
import {
  merged,
  passIn,
  Reports,
  type SlowJobOptions,
  slow,
  slowJob,
  wideJob,
} from './unaligned-rig.js';

const total = 2_000;

async function undisturbed(options: Omit<SlowJobOptions, 'msPerBatch'>): Promise<string[]> {
  const disk = await diskForJobs();
  const process = start(disk, slowJob('/out', { ...options, msPerBatch: 0 }));
  await passIn(process, 20);
  await process.handle.done;
  return merged(await linesOf(disk));
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const folder = '/checkpoints';
/** So hasty that almost every checkpoint overtakes. */
const hasty = { folder, interval: '20ms', minPause: '0ms', alignmentTimeout: '60ms' } as const;
const slowish = { total, msPerBatch: 150 } as const;

let expected: string[];
let expectedLate: string[];

beforeAll(async () => {
  expected = await undisturbed({ total });
  expectedLate = await undisturbed({ total, late: 'some' });
});

/** Runs until an unaligned checkpoint with records in channels is the newest, and power fails. */
async function cutAfterUnaligned(
  disk: SimulatedDisk,
  options: { readonly slots: number; readonly parallelism: number },
): Promise<void> {
  const process = start(disk, slowJob('/out', slowish), { ...options, checkpoints: hasty });
  const reports = new Reports();
  await passIn(process, 20, () => {
    reports.take(process);
    const newest = reports.committed.at(-1);
    return newest !== undefined && newest.channelBytes > 5_000;
  });
  disk.powerCut({ next: () => 0 });
}

test('the job gives results of all kinds', () => {
  for (const kind of ['windows', 'late', 'sessions', 'round', 'all']) {
    const lines = expectedLate.filter((line) => line.startsWith(`${kind}:`));
    expect(lines.length).toBeGreaterThan(10);
  }
});

describe('a slow sink, for ten minutes', () => {
  test.each([1, 2])(
    'in %i slots: checkpoints overtake what waits for it',
    async (slots) => {
      const many = slots * 4_000;
      const disk = await diskForJobs();
      const process = start(disk, slowJob('/out', { total: many, msPerBatch: 7_000 }), {
        slots,
        checkpoints: { folder, interval: '1s' },
      });
      const reports = new Reports();
      const waiting: number[] = [];
      await passIn(process, 50, () => {
        reports.take(process);
        const { operators } = process.handle.metrics();
        const read = (id: string): number => operators[id]?.numRecordsIn ?? 0;
        waiting.push(2 * read('orders') + read('returns') - read('all'));
        return false;
      });
      await process.handle.done;
      expect(process.env.nowMs - Date.UTC(2020, 0, 1)).toBeGreaterThan(600_000);

      const ofInterval = reports.committed.filter(({ kind }) => kind === 'checkpoint');
      const unaligned = ofInterval.filter(({ mode }) => mode === 'unaligned');
      expect(unaligned.length).toBeGreaterThan(30);
      expect(unaligned.length).toBeGreaterThan(0.8 * ofInterval.length);
      // A sink that is writing is waited for, and nothing else.
      for (const { durationMs } of unaligned) expect(durationMs).toBeLessThanOrEqual(7_200);
      for (const { durationMs } of ofInterval) expect(durationMs).toBeLessThanOrEqual(10_000);
      const failed = [...reports.all.values()].filter(({ error }) => error !== undefined);
      for (const { mode } of failed) expect(mode).toBe('aligned');
      // Two records in the sink for each order that was read, some chunks and batches on their way.
      expect(Math.max(...waiting)).toBeLessThan(12 * 512);
      const half = waiting.length / 2;
      const [early, late] = [waiting.slice(0, half), waiting.slice(half)];
      expect(Math.max(...late)).toBeLessThan(1.3 * Math.max(...early));
      expect(merged(await linesOf(disk))).toEqual(await undisturbed({ total: many }));
    },
    120_000,
  );
});

describe('a job that loses power while records wait, and goes on in other slots', () => {
  test.each(Array.from({ length: 16 }, (_, seed) => [seed + 1]))(
    'ends with the same output: seed %i',
    async (seed) => {
      const random = randomOf(seed * 7_919);
      const parallelism = seed % 4 === 0 ? 1 : 2;
      const late = parallelism === 1 ? 'some' : 'none';
      const disk = await diskForJobs();
      const resumedFrom: string[] = [];
      let committed: Reports | undefined;
      for (let life = 0; life < 6; life += 1) {
        const slots = 1 + Math.floor(random() * 3);
        const process = start(disk, slowJob('/out', { ...slowish, late }), {
          slots,
          parallelism,
          codegen: seed % 5 === 0 ? 'off' : 'on',
          checkpoints: hasty,
        });
        const reports = new Reports();
        const until = process.env.nowMs + 300 + random() * 1_200;
        await passIn(process, 20, () => {
          reports.take(process);
          return life < 5 && process.env.nowMs >= until;
        });
        if (life === 5) await process.handle.done;
        else disk.powerCut({ next: random });
        const resumed = await Promise.race([process.handle.resumed, undefined]);
        const point = resumed && committed?.all.get(resumed.checkpoint);
        if (point !== undefined) resumedFrom.push(point.mode);
        if (reports.committed.length > 0) committed = reports;
      }
      expect(merged(await linesOf(disk))).toEqual(late === 'some' ? expectedLate : expected);
      expect(resumedFrom.filter((mode) => mode === 'unaligned').length).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe('a job whose records become many, and whose windows fire much', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'ends with the same output after kills: seed %i',
    async (seed) => {
      const random = randomOf(seed * 104_729);
      const parallelism = 1 + (seed % 2);
      const whole = await diskForJobs();
      const undisturbedRun = start(whole, wideJob('/out', 0));
      await passIn(undisturbedRun, 20);
      await undisturbedRun.handle.done;
      const disk = await diskForJobs();
      let unaligned = 0;
      for (let life = 0; life < 6; life += 1) {
        const slots = 1 + Math.floor(random() * 2);
        const process = start(disk, wideJob('/out', 100), {
          slots,
          parallelism,
          checkpoints: hasty,
        });
        const reports = new Reports();
        const until = process.env.nowMs + 300 + random() * 900;
        await passIn(process, 20, () => {
          reports.take(process);
          return life < 5 && process.env.nowMs >= until;
        });
        unaligned += reports.committed.filter(({ channelBytes }) => channelBytes > 1_000).length;
        if (life === 5) await process.handle.done;
        else disk.powerCut({ next: random });
      }
      expect(merged(await linesOf(disk))).toEqual(merged(await linesOf(whole)));
      expect(unaligned).toBeGreaterThan(5);
    },
    60_000,
  );
});

describe('an unaligned checkpoint', () => {
  test('fits no other parallelism, and says what to do; the old one goes on', async () => {
    const disk = await diskForJobs();
    await cutAfterUnaligned(disk, { slots: 2, parallelism: 2 });
    for (const parallelism of [1, 3]) {
      const other = start(disk, slowJob('/out', slowish), { slots: 2, parallelism });
      await passIn(other, 20);
      await expect(other.handle.done).rejects.toMatchObject({
        code: 'ERR_STATE_INCOMPATIBLE',
        detail: expect.stringContaining('take a savepoint or wait for an aligned checkpoint'),
      });
    }
    // Also where one end only is another one.
    const job = slowJob('/out', { ...slowish, parallelism: { all: 1 } });
    const oneEnd = start(disk, job, { slots: 2, parallelism: 2 });
    await passIn(oneEnd, 20);
    await expect(oneEnd.handle.done).rejects.toMatchObject({ code: 'ERR_STATE_INCOMPATIBLE' });

    const same = start(disk, slowJob('/out', slowish), { slots: 1, parallelism: 2 });
    await passIn(same, 20, () => same.handle.progress().attempts > 0);
    await same.handle.opened;
    const stopped = same.handle.stopWithSavepoint('aligned');
    await passIn(same, 20);
    await stopped;
    const changed = start(disk, slowJob('/out', slowish), { slots: 1, parallelism: 3 });
    await passIn(changed, 20);
    await changed.handle.done;
    expect(merged(await linesOf(disk))).toEqual(expected);
  });

  test('fits no job of which an edge is gone', async () => {
    const disk = await diskForJobs();
    await cutAfterUnaligned(disk, { slots: 1, parallelism: 1 });
    const job = slowJob('/out', { ...slowish, union: 'without' });
    const other = start(disk, job);
    await passIn(other, 20);
    await expect(other.handle.done).rejects.toMatchObject({ code: 'ERR_STATE_INCOMPATIBLE' });
  });

  test('with a damaged byte in a channel is not restored', async () => {
    const disk = await diskForJobs();
    await cutAfterUnaligned(disk, { slots: 1, parallelism: 1 });
    const names = await disk.list(`${folder}/channels`);
    for (const name of names) {
      const path = `${folder}/channels/${name}`;
      disk.damage(path, (await disk.size(path))! >> 1);
    }
    const again = start(disk, slowJob('/out', slowish));
    await passIn(again, 20);
    await expect(again.handle.done).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_CORRUPT',
      detail: expect.stringContaining('channels/in-'),
    });
  });

  test('that is damaged is passed over where no output is tied to it', async () => {
    const disk = await diskForJobs();
    const written: number[] = [];
    const job = defineJob('plain', {}, (builder) => {
      const sink: Sink<number> = {
        type: 'plain',
        guarantee: 'at-least-once',
        createWriter: () => ({
          write: async ({ values, count }) => {
            written.push(...(values.slice(0, count) as number[]));
          },
        }),
      };
      const create = (n: number): number => n;
      builder.source('numbers', generator<number>({ seed: 1, count: 5_000, create })).pipe(
        flatMap((n) => [n]),
        sinkTo('out', slow(sink, 300)),
      );
    });
    const first = start(disk, job, { checkpoints: hasty });
    const reports = new Reports();
    await passIn(first, 20, () => {
      reports.take(first);
      return reports.committed.filter(({ channelBytes }) => channelBytes > 500).length >= 3;
    });
    const [older, newest] = reports.committed.slice(-2);
    disk.powerCut({ next: () => 0 });
    const channels = `${folder}/channels`;
    for (const name of await disk.list(channels)) {
      if (name.includes(`${newest!.checkpoint}-`)) disk.damage(`${channels}/${name}`, 100);
    }
    await (await disk.create(`${channels}/in-left-behind`)).close();
    const second = start(disk, job, { checkpoints: hasty });
    await passIn(second, 20);
    await second.handle.done;
    expect((await second.handle.resumed)?.checkpoint).toBe(older!.checkpoint);
    expect(new Set(written).size).toBe(5_000);
    // What nothing refers to is removed.
    expect(await disk.list(channels)).not.toContain('in-left-behind');
  });

  test('keeps its blobs as long as it is kept itself, and no longer', async () => {
    const disk = await diskForJobs();
    const process = start(disk, slowJob('/out', slowish), { checkpoints: hasty });
    const seen = new Set<string>();
    let most = 0;
    await passIn(process, 20, async () => {
      const names = await disk.list(`${folder}/channels`);
      for (const name of names) seen.add(name);
      most = Math.max(most, names.length);
      return false;
    });
    await process.handle.done;
    expect(seen.size).toBeGreaterThan(10);
    // Two that are kept, one that is being taken, and one that is being deleted.
    expect(most).toBeLessThanOrEqual(4);
    const { checkpoints: store } = folderStores(virtualEnv({ storage: disk }), folder);
    const needed: string[] = [];
    for (const blob of await store.list('manifests/')) {
      const { tasks } = JSON.parse(new TextDecoder().decode(await store.read(blob)));
      for (const { channels } of tasks) if (channels !== undefined) needed.push(channels.blob);
    }
    expect(await store.list('channels/')).toEqual(needed.sort());
  });
});

test('where it is not allowed, three that are not aligned in time fail the attempt', async () => {
  const disk = await diskForJobs();
  const process = start(disk, slowJob('/out', { ...slowish, msPerBatch: 5_000 }), {
    checkpoints: { ...hasty, interval: '1s', unaligned: 'never', alignmentTimeout: '2s' },
    restart: { kind: 'none' },
  });
  await passIn(process, 50);
  await expect(process.handle.done).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT_FAILED',
    detail: expect.stringContaining('was not aligned within 2000 ms'),
  });
});

test('a savepoint waits for what is ahead of it', async () => {
  const disk = await diskForJobs();
  const process = start(disk, slowJob('/out', slowish), { checkpoints: hasty });
  await passIn(process, 20, () => process.handle.progress().recordsIn > 600);
  const taking = process.handle.savepoint('whole');
  await passIn(process, 20);
  await process.handle.done;
  const { tasks } = await taking;
  expect(tasks.every(({ channels }) => channels === undefined)).toBe(true);
});
