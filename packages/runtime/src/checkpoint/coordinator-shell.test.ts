import type { MillraceError } from '@millrace/core';
import type { Env } from '@millrace/core/spi';
import { SimulatedDisk, type VirtualEnv, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { segmentName } from './blob-names.js';
import { manifestOf } from './checkpoint-folder.js';
import { CheckpointCoordinator, type CheckpointedTask } from './coordinator-shell.js';
import { type FolderStores, folderStores } from './folder-stores.js';
import type { AttemptId, CheckpointKind, Manifest, SegmentRef, TaskSnapshot } from './manifest.js';
import { blobsOf, segmentsOf, verifyBlob } from './manifest-io.js';
import type { RestorePoint } from './restore-point.js';
import { stagedBlobsOf } from './staged-blobs.js';
import { StoreOutputStaging } from './store-output-staging.js';

const settled = async (turns = 1): Promise<void> => {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Times that each task reports of a checkpoint: each is the slower one in one of them. */
const times: Readonly<Record<string, Pick<TaskSnapshot, 'syncMs' | 'alignmentMs'>>> = {
  a: { syncMs: 3, alignmentMs: 7 },
  b: { syncMs: 5, alignmentMs: 4 },
};

/** A task whose state is one more segment for each checkpoint, compacted every third time. */
class CountingTask implements CheckpointedTask {
  readonly id: string;
  readonly triggered: number[] = [];
  readonly aborted: number[] = [];
  readonly notified: number[] = [];
  chain: SegmentRef[];
  /** What its sink has to publish. */
  prepared: unknown = null;
  /** Its sink stages output for each checkpoint, and needs it until that is committed. */
  staging: StoreOutputStaging | undefined;
  private unpublished: { readonly checkpoint: number; readonly ref: SegmentRef }[] = [];
  private readonly job: SimulatedJob;
  private readonly attempt: AttemptId;

  constructor(id: string, job: SimulatedJob, attempt: AttemptId, chain: readonly SegmentRef[]) {
    this.id = id;
    this.job = job;
    this.attempt = attempt;
    this.chain = [...chain];
  }

  trigger(checkpoint: number, _kind: CheckpointKind): void {
    this.triggered.push(checkpoint);
    void this.write(checkpoint).catch((error: unknown) => {
      this.job.coordinator.decline(this.id, checkpoint, error as MillraceError);
    });
  }

  abort(checkpoint: number): void {
    this.aborted.push(checkpoint);
  }

  committed(checkpoint: number): void {
    this.notified.push(checkpoint);
    this.unpublished = this.unpublished.filter((output) => output.checkpoint > checkpoint);
  }

  stageOutput(): void {
    const { number, random } = this.attempt;
    const { checkpoints: store } = this.job.stores;
    const attempt = `${number}-${random}`;
    this.staging = new StoreOutputStaging({ store, attempt, operator: this.id, subtask: 0 });
  }

  private async stage(staging: StoreOutputStaging, checkpoint: number): Promise<void> {
    const writer = await staging.create();
    await writer.write(new TextEncoder().encode(`output of ${this.id} at ${checkpoint}`));
    this.unpublished.push({ checkpoint, ref: await writer.complete() });
    this.prepared = { staged: this.unpublished.map(({ ref }) => ref) };
  }

  private async write(checkpoint: number): Promise<void> {
    const { number, random } = this.attempt;
    if (this.staging !== undefined) await this.stage(this.staging, checkpoint);
    const name = segmentName(checkpoint, `${number}-${random}`, this.id);
    const writer = await this.job.stores.checkpoints.create(name);
    try {
      await writer.write(new TextEncoder().encode(`${this.id} at ${checkpoint}`));
      const { bytes, sha256 } = await writer.complete();
      const kept = this.chain.length >= 3 ? [] : this.chain;
      this.chain = [...kept, { blob: name, bytes, sha256 }];
    } catch (error) {
      await writer.abort().catch(() => undefined);
      throw error;
    }
    const { chain, prepared, id: task } = this;
    const keyGroups = { first: 0, last: 255 };
    const sinks = prepared === null ? [] : [{ operator: 'out', subtask: 0, prepared }];
    const snapshot = { part: { task, keyGroups, chain }, sources: [], sinks, ...times[task]! };
    this.job.coordinator.acknowledge(this.id, checkpoint, snapshot);
  }
}

/** One process that runs a job: its coordinator and two tasks. */
class SimulatedJob {
  readonly env: VirtualEnv;
  readonly stores: FolderStores;
  readonly coordinator: CheckpointCoordinator;
  readonly failures: MillraceError[] = [];
  readonly alarms: (string | undefined)[] = [];
  tasks: CountingTask[] = [];

  /**
   * @param seed no two processes have the same random numbers
   * @param whileVerifying called for each blob that is looked at to take the job over
   */
  constructor(
    disk: SimulatedDisk,
    name: string,
    seed: number,
    whileVerifying: () => Promise<unknown> = async () => undefined,
  ) {
    this.env = virtualEnv({ seed: seed * 1_000_003, storage: disk.process(name) });
    this.stores = folderStores(this.env as Env, '/job');
    this.coordinator = new CheckpointCoordinator({
      env: this.env,
      job: 'job',
      checkpoints: this.stores.checkpoints,
      meta: this.stores.meta,
      clean: this.stores.clean,
      schedule: {
        intervalMs: 100,
        pauseMs: 10,
        timeoutMs: 1_000,
        alignmentTimeoutMs: 1_000,
        unaligned: 'allowed',
        toleratedFailures: 1,
        retained: 2,
      },
      graph: { keyGroups: 256, fingerprint: 'f', states: () => [] },
      verifyBlob: async (ref) => {
        await whileVerifying();
        await verifyBlob(this.stores.checkpoints, ref);
      },
      onFailure: (error) => this.failures.push(error),
      onAlarm: (error) => this.alarms.push(error?.code),
    });
  }

  start(restored: RestorePoint | undefined, attempt = 1): void {
    const id = { number: attempt, random: `r${this.env.random.next() * 2 ** 32}` };
    this.tasks = ['a', 'b'].map((name) => {
      const part = restored?.manifest.tasks.find(({ task }) => task === name);
      return new CountingTask(name, this, id, part?.chain ?? []);
    });
    this.coordinator.start(this.tasks, attempt, 'running');
  }

  /** Runs until `count` more checkpoints are committed, or nothing moves any more. */
  async commits(count: number): Promise<number> {
    const before = this.notified.length;
    for (let idle = 0; idle < 3 && this.notified.length < before + count; idle++) {
      const had = this.notified.length;
      await settled(2);
      this.env.advance(100);
      await settled(2);
      if (this.notified.length > had) idle = 0;
    }
    return this.notified.length - before;
  }

  get notified(): readonly number[] {
    return this.tasks[0]?.notified ?? [];
  }
}

async function verifyWhole(stores: FolderStores, manifest: Manifest): Promise<void> {
  for (const ref of blobsOf(manifest)) await verifyBlob(stores.checkpoints, ref);
}

const newest = ({ manifest }: RestorePoint): number => manifest.checkpoint;

describe('a job that runs undisturbed', () => {
  test('takes its first checkpoint at once, and goes on from the last when it is opened again', async () => {
    const disk = new SimulatedDisk();
    const first = new SimulatedJob(disk, 'first', 1);
    expect(await first.coordinator.open()).toBeUndefined();
    first.start(undefined);
    await settled(2);
    expect(first.notified).toEqual([1]);
    await first.commits(3);
    expect(first.notified).toEqual([1, 2, 3, 4]);
    await first.coordinator.close();

    const second = new SimulatedJob(disk, 'second', 2);
    const restored = (await second.coordinator.open())!;
    expect(newest(restored)).toBe(4);
    expect(restored.record).toMatchObject({
      epoch: 2,
      lineage: { id: first.coordinator.restorePoint!.manifest.lineage.id },
    });
    second.start(restored);
    expect(second.notified).toEqual([4]);
    await second.commits(1);
    // The id after the last was reserved, and may have been used.
    expect(second.notified.slice(0, 2)).toEqual([4, 6]);
  });

  test('keeps two checkpoints, and no blob that neither needs', async () => {
    const disk = new SimulatedDisk();
    const job = new SimulatedJob(disk, 'one', 1);
    await job.coordinator.open();
    job.start(undefined);
    await job.commits(10);
    await settled(2);
    const { checkpoints } = job.stores;
    expect(await checkpoints.list('manifests/')).toHaveLength(2);
    // Of two tasks each: three segments at most in each of two chains, which share most.
    expect((await checkpoints.list('segments/')).length).toBeLessThanOrEqual(8);
    expect(await checkpoints.list('committed/')).toHaveLength(1);
    await verifyWhole(job.stores, job.coordinator.restorePoint!.manifest);
    expect(job.coordinator.history).toHaveLength(10);
    expect(job.coordinator.history.at(-1)).toMatchObject({
      checkpoint: 10,
      kind: 'checkpoint',
      syncMs: 5,
      alignmentMs: 7,
    });
    expect(job.coordinator.history.at(-1)!.bytes).toBeGreaterThan(10);
  });

  test('ends with a final checkpoint, and is finished when it is opened again', async () => {
    const disk = new SimulatedDisk();
    const job = new SimulatedJob(disk, 'one', 1);
    await job.coordinator.open();
    job.start(undefined);
    await job.coordinator.final();
    expect(job.notified).toEqual([1, 2]);
    await job.commits(1);
    expect(job.notified).toEqual([1, 2]);
    const again = await new SimulatedJob(disk, 'two', 2).coordinator.open();
    expect(again).toMatchObject({ finished: true, manifest: { checkpoint: 2, kind: 'final' } });
  });
});

/** What a disturbed run left: the last checkpoint the tasks were told of, and all ids they saw. */
interface Left {
  readonly disk: SimulatedDisk;
  readonly notified: number;
  readonly seen: readonly number[];
  readonly undisturbed: boolean;
}

async function runUntil(crashAt: number, crash: (disk: SimulatedDisk) => void): Promise<Left> {
  const disk = new SimulatedDisk();
  let steps = 0;
  const disarm = disk.onStep(() => {
    steps += 1;
    if (steps === crashAt) crash(disk);
    return undefined;
  });
  const job = new SimulatedJob(disk, 'first', 1);
  const ran = (async () => {
    await job.coordinator.open();
    job.start(undefined);
    await job.commits(4);
  })();
  await Promise.race([ran, settled(60)]);
  disarm();
  const seen = job.tasks.flatMap(({ triggered }) => triggered);
  return { disk, notified: job.notified.at(-1) ?? 0, seen, undisturbed: steps < crashAt };
}

async function checkRecovery({ disk, notified, seen }: Left): Promise<void> {
  const job = new SimulatedJob(disk, 'second', 2);
  const restored = await job.coordinator.open();
  const id = restored === undefined ? 0 : newest(restored);
  // The last that was notified, or the one that was being committed.
  expect(id).toBeGreaterThanOrEqual(notified);
  expect(id - notified).toBeLessThanOrEqual(1);
  if (restored !== undefined) await verifyWhole(job.stores, restored.manifest);

  job.start(restored);
  expect(job.notified).toEqual(id === 0 ? [] : [id]);
  await job.commits(2);
  const next = job.tasks[0]!.triggered;
  expect(job.notified.slice(-2)).toEqual(next.slice(0, 2));
  for (const used of next) expect(seen, 'an id is used once').not.toContain(used);
  await settled(2);
  await verifyWhole(job.stores, job.coordinator.restorePoint!.manifest);
  expect(await disk.list('/job/.aside')).toEqual([]);
}

describe('a crash at any step', () => {
  test('of the process: goes on from the last commit', async () => {
    for (let crashAt = 1; ; crashAt++) {
      const left = await runUntil(crashAt, (disk) => disk.crashProcess());
      if (left.undisturbed) {
        expect(crashAt).toBeGreaterThan(200);
        expect(left.notified).toBe(4);
        return;
      }
      await checkRecovery(left);
    }
  });

  test('of the machine, whatever it lost: goes on from the last commit', async () => {
    for (let crashAt = 1; ; crashAt++) {
      for (let seed = 1; seed <= 3; seed++) {
        const { random } = virtualEnv({ seed: seed * 7919 + crashAt });
        const left = await runUntil(crashAt, (disk) => disk.powerCut(random));
        if (left.undisturbed) return;
        await checkRecovery(left);
      }
    }
  });
});

/** The first of two processes sleeps at a step, until it is woken. */
function sleeper(disk: SimulatedDisk, sleepAt: number) {
  let steps = 0;
  const sleep = { asleep: false, wake: (): void => {} };
  disk.onStep(({ process }) => {
    if (process !== 'first' || ++steps !== sleepAt) return undefined;
    sleep.asleep = true;
    return new Promise((resolve) => {
      sleep.wake = resolve;
    });
  });
  return sleep;
}

describe('two coordinators of one job', () => {
  test('the first commits whenever the second looks: the second takes over all the same', async () => {
    const disk = new SimulatedDisk();
    const first = new SimulatedJob(disk, 'first', 1);
    first.start(await first.coordinator.open());
    expect(await first.commits(3)).toBe(3);
    let commits = 0;
    const second = new SimulatedJob(disk, 'second', 2, async () => {
      commits += await first.commits(1);
    });
    second.start((await second.coordinator.open())!);
    expect(commits).toBeGreaterThan(0);
    expect(first.failures).toMatchObject([{ code: 'ERR_CHECKPOINT_SUPERSEDED' }]);
    expect(await second.commits(2)).toBe(2);
    await verifyWhole(second.stores, second.coordinator.restorePoint!.manifest);
  });

  test('one sleeps at any step while the other takes over: only one ever commits', async () => {
    const losers = { first: 0, second: 0 };
    for (let sleepAt = 1; ; sleepAt++) {
      const disk = new SimulatedDisk();
      const sleep = sleeper(disk, sleepAt);
      const first = new SimulatedJob(disk, 'first', 1);
      let opened = false;
      const opening = first.coordinator.open().then(
        () => {
          opened = true;
          first.start(undefined);
        },
        (error: MillraceError) => first.failures.push(error),
      );
      await Promise.race([opening.then(() => first.commits(3)), settled(40)]);
      if (!sleep.asleep) break;
      const openedBefore = opened;

      const second = new SimulatedJob(disk, 'second', 2);
      const restored = await second.coordinator.open();
      expect(restored === undefined ? 0 : newest(restored)).toBeGreaterThanOrEqual(
        first.notified.at(-1) ?? 0,
      );
      second.start(restored);
      await second.commits(2);
      const before = newest(second.coordinator.restorePoint!);
      sleep.wake();
      await settled(4);
      for (const job of [first, second, first, second]) await job.commits(1);

      // It takes over itself only when it slept before it had read who owns the job.
      const [loser, winner] = second.failures.length > 0 ? [second, first] : [first, second];
      expect(loser.failures, `asleep at ${sleepAt}`).toMatchObject([
        { code: 'ERR_CHECKPOINT_SUPERSEDED' },
      ]);
      expect(winner.failures).toEqual([]);
      if (openedBefore) expect(loser).toBe(first);
      losers[loser === first ? 'first' : 'second'] += 1;

      const third = (await new SimulatedJob(disk, 'third', 3).coordinator.open())!;
      expect(newest(third)).toBeGreaterThan(before);
      expect(third.manifest.attempt).toEqual(winner.coordinator.restorePoint!.manifest.attempt);
      await verifyWhole(second.stores, third.manifest);
    }
    expect(losers.first).toBeGreaterThan(100);
    expect(losers.second).toBeGreaterThan(0);
  });
});

describe('storage that fails', () => {
  const cases: readonly (readonly [string, (disk: SimulatedDisk) => void, string])[] = [
    ['is full', (disk) => disk.setCapacity(0), 'ERR_STORAGE_FULL'],
    ['cannot be written', (disk) => disk.setReadOnly(), 'ERR_STORAGE_READ_ONLY'],
    [
      'gives errors',
      (disk) =>
        disk.failRate(1, { code: 'ERR_STORAGE_FAILED', operation: 'sync' }, virtualEnv().random),
      'ERR_STORAGE_FAILED',
    ],
  ];
  test.each(cases)(
    '%s: an alarm, the job goes on, and the next checkpoint succeeds',
    async (_, fail, code) => {
      const disk = new SimulatedDisk();
      const job = new SimulatedJob(disk, 'one', 1);
      await job.coordinator.open();
      job.start(undefined);
      await job.commits(2);
      fail(disk);
      for (let round = 0; round < 6; round++) expect(await job.commits(1)).toBe(0);
      expect(job.alarms).toEqual([code]);
      expect(job.failures).toEqual([]);
      expect(job.tasks[0]!.aborted).not.toEqual([]);
      disk.heal();
      expect(await job.commits(1)).toBe(1);
      expect(job.alarms).toEqual([code, undefined]);
      await verifyWhole(job.stores, job.coordinator.restorePoint!.manifest);
    },
  );

  test('at any one operation: no failure of the job, and nothing is lost', async () => {
    for (const effect of ['none', 'done'] as const) {
      for (let failAt = 1; ; failAt++) {
        const disk = new SimulatedDisk();
        const job = new SimulatedJob(disk, 'one', 1);
        await job.coordinator.open();
        let steps = 0;
        disk.onStep(({ when }) => {
          if (when === 'before' && ++steps === failAt) {
            disk.failNext({ code: 'ERR_STORAGE_FAILED', effect });
          }
          return undefined;
        });
        job.start(undefined);
        await job.commits(3);
        if (steps < failAt) break;
        await job.commits(1);
        expect(job.failures, `${effect} ${failAt}`).toEqual([]);
        expect(job.notified.length).toBeGreaterThanOrEqual(3);
        await verifyWhole(job.stores, job.coordinator.restorePoint!.manifest);
        const restored = await new SimulatedJob(disk, 'two', 2).coordinator.open();
        expect(newest(restored!)).toBe(job.notified.at(-1));
      }
    }
  });
});

describe('savepoints and lineage', () => {
  async function withSavepoint() {
    const disk = new SimulatedDisk();
    const job = new SimulatedJob(disk, 'one', 1);
    await job.coordinator.open();
    job.start(undefined);
    await settled(2);
    const taking = job.coordinator.savepoint('before-upgrade');
    await settled(2);
    return { disk, job, manifest: await taking };
  }

  test('a savepoint is complete by itself', async () => {
    const { job, manifest } = await withSavepoint();
    expect(manifest).toMatchObject({ checkpoint: 2, kind: 'savepoint' });
    for (const { blob } of segmentsOf(manifest)) {
      expect(blob).toMatch(/^savepoints\/before-upgrade\//);
    }
    await job.commits(8);
    await verifyWhole(job.stores, manifest);
    await expect(job.coordinator.savepoint('before-upgrade')).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
  });

  test('going back to it says what would be published again, and begins a child lineage', async () => {
    const { disk, job, manifest } = await withSavepoint();
    await job.commits(3);
    const refused = new SimulatedJob(disk, 'two', 2).coordinator.open({ from: { manifest } });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_REPLAY_NOT_ACCEPTED',
      detail: expect.stringContaining('after 2, to 5'),
    });
    const other = new SimulatedJob(disk, 'three', 3);
    const restored = (await other.coordinator.open({ from: { manifest }, acceptReplay: true }))!;
    expect(restored.record.lineage.parent).toEqual({ lineage: manifest.lineage.id, checkpoint: 2 });
    await verifyWhole(other.stores, restored.manifest);
    await other.coordinator.settle();
    other.start(restored);
    await other.commits(2);
    // Ids go on behind those of the history that was left.
    expect(other.notified).toEqual([2, 7, 8]);
    const again = await new SimulatedJob(disk, 'four', 4).coordinator.open();
    expect(newest(again!)).toBe(8);
    expect(again!.manifest.lineage).toEqual(restored.record.lineage);
  });

  test('going back without opening the sinks is taken back by who does not ask for it', async () => {
    const { disk, job, manifest } = await withSavepoint();
    await job.commits(3);
    await job.coordinator.close();
    const left = job.coordinator.restorePoint!;
    // Killed, twice: what the first one left is not what the second has found.
    for (const [name, seed] of [
      ['two', 2],
      ['three', 3],
    ] as const) {
      const other = new SimulatedJob(disk, name, seed);
      await other.coordinator.open({ from: { manifest }, acceptReplay: true });
      disk.crashProcess(name);
    }
    const { env, stores, coordinator } = new SimulatedJob(disk, 'four', 4);
    expect((await manifestOf(env, '/job')).manifest.checkpoint).toBe(5);
    const restored = (await coordinator.open())!;
    expect(restored.manifest).toEqual(left.manifest);
    expect(restored.record.lineage).toEqual(left.record.lineage);
    await verifyWhole(stores, restored.manifest);
  });

  test('going back with open sinks stays, also without a commit', async () => {
    const { disk, job, manifest } = await withSavepoint();
    await job.commits(3);
    const other = new SimulatedJob(disk, 'two', 2);
    await other.coordinator.open({ from: { manifest }, acceptReplay: true });
    await other.coordinator.settle();
    disk.crashProcess('two');
    const again = (await new SimulatedJob(disk, 'three', 3).coordinator.open())!;
    expect(again.record.lineage.parent).toEqual({ lineage: manifest.lineage.id, checkpoint: 2 });
    expect(newest(again)).toBe(2);
  });

  test('of two that go back, only the younger one opens its sinks', async () => {
    const { disk, job, manifest } = await withSavepoint();
    await job.commits(3);
    const older = new SimulatedJob(disk, 'two', 2).coordinator;
    const younger = new SimulatedJob(disk, 'three', 3).coordinator;
    const from = { from: { manifest }, acceptReplay: true };
    await older.open(from);
    await younger.open(from);
    await expect(older.settle()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_SUPERSEDED' });
    await younger.settle();
  });

  test('going on from the newest is no going back', async () => {
    const { disk, manifest } = await withSavepoint();
    const restored = await new SimulatedJob(disk, 'two', 2).coordinator.open({
      from: { manifest },
    });
    expect(restored!.record.lineage).toEqual(manifest.lineage);
  });

  test('a savepoint of another folder begins a child lineage here', async () => {
    const { job, manifest } = await withSavepoint();
    const other = new SimulatedJob(new SimulatedDisk(), 'two', 2);
    const from = { manifest, store: job.stores.checkpoints };
    const restored = (await other.coordinator.open({ from }))!;
    expect(restored.manifest.lineage.parent?.lineage).toBe(manifest.lineage.id);
    await verifyWhole(other.stores, restored.manifest);
    other.start(restored);
    expect(await other.commits(1)).toBeGreaterThan(0);
  });

  test('asked for in an attempt that ends, is not one of the next attempt', async () => {
    const disk = new SimulatedDisk();
    const job = new SimulatedJob(disk, 'one', 1);
    const { coordinator } = job;
    await coordinator.open();
    job.start(undefined);
    await job.commits(1);
    const answers = Promise.allSettled([
      coordinator.savepoint('drained'),
      coordinator.savepoint('stop', 'stop'),
    ]);
    // While the folder is asked whether there is one of that name.
    await coordinator.endAttempt();
    job.start(coordinator.restorePoint, 2);
    await job.commits(1);
    for (const answer of await answers) {
      expect(answer).toMatchObject({ reason: { code: 'ERR_CHECKPOINT_FAILED' } });
    }
    expect(await job.commits(2)).toBeGreaterThan(0);
  });

  test('one to stop with is the last', async () => {
    const disk = new SimulatedDisk();
    const job = new SimulatedJob(disk, 'one', 1);
    await job.coordinator.open();
    job.start(undefined);
    const manifest = await job.coordinator.savepoint('stop', 'stop');
    expect(await job.commits(1)).toBe(0);
    expect(job.notified.at(-1)).toBe(manifest.checkpoint);
  });
});

describe('damage', () => {
  async function afterThree(prepared: unknown) {
    const disk = new SimulatedDisk();
    const job = new SimulatedJob(disk, 'one', 1);
    await job.coordinator.open();
    job.start(undefined);
    for (const task of job.tasks) task.prepared = prepared;
    await job.commits(3);
    await job.coordinator.close();
    const { record, manifest } = job.coordinator.restorePoint!;
    return { disk, record, manifest, reopened: new SimulatedJob(disk, 'two', 2) };
  }

  test('of the newest manifest: an older checkpoint, when nothing was published', async () => {
    const { disk, record, reopened } = await afterThree(null);
    disk.damage(`/job/${record.checkpoint!.manifest.blob}`);
    const restored = (await reopened.coordinator.open())!;
    expect(newest(restored)).toBe(2);
    reopened.start(restored);
    expect(await reopened.commits(2)).toBe(2);
    expect(reopened.notified).toEqual([2, 5, 6]);
  });

  test('of a newest segment: the same', async () => {
    const { disk, manifest, reopened } = await afterThree(null);
    await disk.remove(`/job/${segmentsOf(manifest).at(-1)!.blob}`);
    expect(newest((await reopened.coordinator.open())!)).toBe(2);
  });

  test('when output may be published: an error that says what to do', async () => {
    const { disk, record, reopened } = await afterThree({ file: 'part-3' });
    disk.damage(`/job/${record.checkpoint!.manifest.blob}`);
    await expect(reopened.coordinator.open()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_CORRUPT',
      detail: expect.stringMatching(/checkpoint 3 .*restoring checkpoint 2 with --from .*--at 2/),
    });
    const { coordinator, env } = new SimulatedJob(disk, 'three', 3);
    const from = await manifestOf(env as Env, '/job', '2');
    expect(newest((await coordinator.open({ from, acceptReplay: true }))!)).toBe(2);
  });

  test('of all checkpoints: an error, not a fresh start', async () => {
    const { disk, record, reopened } = await afterThree(null);
    for (const { manifest } of [record.checkpoint!, ...record.retained]) {
      disk.damage(`/job/${manifest.blob}`);
    }
    await expect(reopened.coordinator.open()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_CORRUPT',
    });
  });

  test.each([1, 2, 4])('of time: %d commits were put back, and that is noticed', async (back) => {
    const { disk, reopened } = await afterThree(null);
    const records = await disk.list('/job/commits/commit');
    for (const name of records.slice(-back)) await disk.remove(`/job/commits/commit/${name}`);
    await expect(reopened.coordinator.open()).rejects.toMatchObject({
      code: 'ERR_METADATA_ROLLBACK',
    });
  });

  test('of the whole commit record, with its marks: an error, not a fresh start', async () => {
    const { disk, reopened } = await afterThree(null);
    for (const folder of ['/job/commits/commit', '/job/committed']) {
      for (const name of await disk.list(folder)) await disk.remove(`${folder}/${name}`);
    }
    await expect(reopened.coordinator.open()).rejects.toMatchObject({
      code: 'ERR_METADATA_ROLLBACK',
    });
  });
});

describe('output that sinks keep in the checkpoint store', () => {
  async function staging(disk = new SimulatedDisk(), name = 'one', seed = 1) {
    const job = new SimulatedJob(disk, name, seed);
    job.start(await job.coordinator.open());
    for (const task of job.tasks) task.stageOutput();
    return job;
  }
  const textOf = async ({ stores }: SimulatedJob, { blob }: { readonly blob: string }) =>
    new TextDecoder().decode(await stores.checkpoints.read(blob));
  const outputsIn = ({ stores }: SimulatedJob) => stores.checkpoints.list('outputs/');

  test('is kept as long as a checkpoint that has it, and deleted afterwards', async () => {
    const job = await staging();
    for (let round = 0; round < 8; round += 1) {
      await job.commits(1);
      await settled(2);
      const { manifest } = job.coordinator.restorePoint!;
      for (const ref of stagedBlobsOf(manifest.sinks)) {
        expect(await textOf(job, ref)).toMatch(`at ${manifest.checkpoint}`);
      }
    }
    // Of two tasks in two checkpoints.
    expect(await outputsIn(job)).toHaveLength(4);
    expect(job.coordinator.history.at(-1)!.bytes).toBeGreaterThan(2 * 'output of a at 10'.length);
  });

  test('of a checkpoint that was given up is in the next one', async () => {
    const disk = new SimulatedDisk();
    const job = await staging(disk);
    await job.commits(2);
    disk.failRate(1, { code: 'ERR_STORAGE_FAILED', path: '/manifests' }, job.env.random);
    for (let round = 0; round < 3; round += 1) expect(await job.commits(1)).toBe(0);
    const given = job.tasks[0]!.triggered.slice(2);
    expect(given.length).toBeGreaterThanOrEqual(3);
    disk.heal();
    expect(await job.commits(1)).toBe(1);

    const { manifest } = job.coordinator.restorePoint!;
    const texts = await Promise.all(stagedBlobsOf(manifest.sinks).map((ref) => textOf(job, ref)));
    const expected = ['a', 'b'].flatMap((task) =>
      [...given, manifest.checkpoint].map((checkpoint) => `output of ${task} at ${checkpoint}`),
    );
    expect(texts).toEqual(expected);
    await job.commits(2);
    await settled(2);
    expect(await outputsIn(job)).toHaveLength(4);
  });

  test('is part of savepoints, and of the checkpoints of a job that begins with one', async () => {
    const job = await staging();
    await job.commits(1);
    const taking = job.coordinator.savepoint('s');
    await settled(4);
    const savepoint = await taking;
    await job.commits(4);
    await verifyWhole(job.stores, savepoint);
    const other = new SimulatedJob(new SimulatedDisk(), 'two', 2);
    const from = { manifest: savepoint, store: job.stores.checkpoints };
    const { manifest } = (await other.coordinator.open({ from }))!;
    const staged = stagedBlobsOf(manifest.sinks);
    expect(staged).toHaveLength(2);
    for (const ref of staged) {
      expect(ref.blob).toMatch(/^outputs\/from-/);
      expect(await textOf(other, ref)).toMatch(`at ${savepoint.checkpoint}`);
    }
    await verifyWhole(other.stores, manifest);
  });

  test('that is damaged or missing is found when the job is opened', async () => {
    for (const harm of ['damage', 'remove'] as const) {
      const disk = new SimulatedDisk();
      const job = await staging(disk);
      await job.commits(2);
      await job.coordinator.close();
      const { manifest } = job.coordinator.restorePoint!;
      const { blob } = stagedBlobsOf(manifest.sinks)[1]!;
      if (harm === 'damage') disk.damage(`/job/${blob}`);
      else await disk.remove(`/job/${blob}`);
      await expect(new SimulatedJob(disk, 'two', 2).coordinator.open()).rejects.toMatchObject({
        code: 'ERR_CHECKPOINT_CORRUPT',
        detail: expect.stringContaining(blob),
      });
    }
  });

  test('that no checkpoint has is removed when the job is opened again', async () => {
    const disk = new SimulatedDisk();
    const job = await staging(disk);
    await job.commits(2);
    await new StoreOutputStaging({
      store: job.stores.checkpoints,
      attempt: 'lost',
      operator: 'out',
      subtask: 0,
    })
      .create()
      .then((writer) => writer.complete());
    disk.crashProcess('one');
    const second = new SimulatedJob(disk, 'two', 2);
    const { manifest } = (await second.coordinator.open())!;
    expect((await outputsIn(second)).some((name) => name.includes('lost'))).toBe(false);
    await verifyWhole(second.stores, manifest);
  });
});
