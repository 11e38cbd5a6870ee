import type { BuiltJob } from '@millrace/core';
import type { CheckpointOptions } from '@millrace/runtime';
import { CommitLog, folderStores, readManifest, segmentsOf } from '@millrace/runtime/internal';
import { SimulatedDisk, virtualEnv } from '@millrace/testing';
import { diskOf, type Image, imageOf, pathsIn } from './image.js';
import { digestOf, restoreVictim } from './restore-victim.js';
import { csvSinks, inputMs, paymentsJob, tableSinks } from './victim-jobs.js';
import { passTime, runVictim } from './victim-run.js';

export const victimNames = ['exactly-once', 'upserts', 'savepoint'] as const;
export type VictimName = (typeof victimNames)[number];

/** A job that was stopped in the middle, as its disk was then. */
export interface Victim {
  readonly name: VictimName;
  /** Whether it may go on from an older checkpoint by itself. */
  readonly mayGoBack: boolean;
  readonly options: CheckpointOptions;
  readonly image: Image;
  /** The same moment of another run: all names are others. */
  readonly otherRun: Image;
  /** Of a job with another name. */
  readonly otherJob: Image;
  /** Folder in which all that is restored is. */
  readonly folder: string;
  /** The files that a restore reads, or of which it reads the name. */
  readonly filesRead: readonly string[];
  /** Those of them whose content matters. */
  readonly filesChecked: readonly string[];
  /** What each restorable checkpoint gives, the newest first. */
  readonly digests: ReadonlyMap<number, string>;
  readonly build: () => BuiltJob;
  /** Runs it to its end; gives its output, or rejects. */
  readonly finish: (image: Image) => Promise<readonly string[]>;
  /** The output as it should be. */
  readonly output: readonly string[];
}

const checkpoints = { folder: '/checkpoints', interval: '30ms', retained: 4 } as const;
const savepoint = '/moved/savepoints/stop';

/** Runs a job to the middle, and stops it there. */
export async function makeVictim(name: VictimName): Promise<Victim> {
  const stopped = await stoppedRun(name, 'payments', 1);
  const { image, table } = stopped;
  const isSavepoint = name === 'savepoint';
  const folder = isSavepoint ? savepoint : checkpoints.folder;
  const options = isSavepoint ? { ...checkpoints, from: savepoint } : checkpoints;
  const build = (): BuiltJob => jobOf(name, 'payments', new Set());
  const finish = (from: Image): Promise<readonly string[]> =>
    finishFrom(name, options, from, table);
  return {
    name,
    mayGoBack: name === 'upserts',
    options,
    image,
    otherRun: (await stoppedRun(name, 'payments', 2)).image,
    otherJob: (await stoppedRun(name, 'transfers', 3)).image,
    folder,
    build,
    finish,
    output: isSavepoint ? await finish(image) : await undisturbed(name),
    ...(await contentOf(image, isSavepoint, build)),
  };
}

function jobOf(victim: VictimName, job: string, table: Set<string>): BuiltJob {
  return paymentsJob(job, victim === 'upserts' ? tableSinks(table) : csvSinks('/out'));
}

async function stoppedRun(
  name: VictimName,
  job: string,
  seed: number,
): Promise<{ readonly image: Image; readonly table: ReadonlySet<string> }> {
  const disk = new SimulatedDisk();
  await disk.makeFolder('/out');
  const table = new Set<string>();
  const folder = name === 'savepoint' ? '/moved' : checkpoints.folder;
  const running = runVictim(disk, jobOf(name, job, table), { ...checkpoints, folder }, seed);
  const untilMs = running.env.nowMs + inputMs * 0.6;
  await passTime(running, () => running.env.nowMs >= untilMs);
  if (name === 'savepoint') {
    const taking = running.job.stopWithSavepoint('stop');
    await passTime(running);
    await taking;
  }
  disk.crashProcess();
  const all = await imageOf(disk);
  if (name !== 'savepoint') return { image: all, table };
  // Moved to another machine together with the output; nothing else comes along.
  const moved = [...all].filter(
    ([path]) => !path.startsWith('/moved/') || path.startsWith(savepoint),
  );
  return { image: new Map(moved), table };
}

async function undisturbed(name: VictimName): Promise<readonly string[]> {
  const empty = new Map([['/out/.keep', new Uint8Array()]]);
  return finishFrom(name, checkpoints, empty, new Set());
}

async function finishFrom(
  name: VictimName,
  options: CheckpointOptions,
  image: Image,
  before: ReadonlySet<string>,
): Promise<readonly string[]> {
  const disk = await diskOf(image);
  await disk.makeFolder('/out');
  const table = new Set(before);
  const running = runVictim(disk, jobOf(name, 'payments', table), options, 7);
  await passTime(running);
  await running.job.done;
  if (name === 'upserts') return [...table].sort();
  const files = [...(await imageOf(disk))].filter(([path]) => /^\/out\/[a-z]/.test(path));
  return files.flatMap(([path, bytes]) => linesOf(path, bytes)).sort();
}

function linesOf(path: string, bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return lines.map((line) => `${path}: ${line}`);
}

async function contentOf(
  image: Image,
  isSavepoint: boolean,
  build: () => BuiltJob,
): Promise<Pick<Victim, 'filesRead' | 'filesChecked' | 'digests'>> {
  const disk = await diskOf(image);
  const env = virtualEnv({ storage: disk, seed: 5 });
  if (isSavepoint) {
    const digests = new Map([await savepointDigest(image, build)]);
    const files = pathsIn(image, savepoint);
    return { filesRead: files, filesChecked: files, digests };
  }
  const { checkpoints: store, meta } = folderStores(env, checkpoints.folder);
  const record = (await new CommitLog(meta).load())!;
  const digests = new Map<number, string>();
  for (const { id, manifest: ref } of [record.checkpoint!, ...record.retained]) {
    digests.set(id, await digestOf(env, build(), await readManifest(store, ref), store));
  }
  const newest = record.checkpoint!.manifest;
  const segments = segmentsOf(await readManifest(store, newest));
  const blobs = [newest, ...segments].map(({ blob }) => `${checkpoints.folder}/${blob}`);
  const commit = pathsIn(image, `${checkpoints.folder}/commits/`).at(-1)!;
  const mark = pathsIn(image, `${checkpoints.folder}/committed/`).at(-1)!;
  const filesChecked = [...blobs, commit];
  return { filesRead: [...filesChecked, mark], filesChecked, digests };
}

async function savepointDigest(
  image: Image,
  build: () => BuiltJob,
): Promise<readonly [number, string]> {
  const restored = await restoreVictim(await diskOf(image), build(), {
    ...checkpoints,
    from: savepoint,
  });
  return [restored!.checkpoint, restored!.digest];
}
