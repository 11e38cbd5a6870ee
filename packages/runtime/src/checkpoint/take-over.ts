import { MillraceError } from '@millrace/core';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import {
  adoptedBlobName,
  type BlobFolder,
  blobFolders,
  type CommitMark,
  commitMarkName,
  manifestName,
  parseCommitMark,
  randomId,
} from './blob-names.js';
import type { CommitLog } from './commit-log.js';
import type {
  AttemptId,
  CommitRecord,
  CommittedCheckpoint,
  Lineage,
  Manifest,
  SegmentRef,
} from './manifest.js';
import {
  blobsOf,
  isDamage,
  outputOf,
  readManifest,
  withBlobNames,
  writeManifest,
} from './manifest-io.js';
import {
  asItStood,
  assertMayBeginWith,
  assertMayGoBehind,
  assertNotRolledBack,
  lineageFrom,
  type RestorePoint,
} from './restore-point.js';
import { orphans, type RetainedCheckpoint } from './retention.js';

/** A deliberate restore from a savepoint or an older checkpoint. */
export interface RestoreFrom {
  readonly manifest: Manifest;
  /** Where its blobs are. Default: the job's own store. */
  readonly store?: CheckpointStore | undefined;
}

export interface TakeOverOptions {
  readonly env: Env;
  readonly job: string;
  readonly log: CommitLog;
  readonly store: CheckpointStore;
  /** Rejects with `ERR_CHECKPOINT_CORRUPT` when a segment, or output of a sink, is damaged. */
  readonly verifyBlob: (ref: SegmentRef) => Promise<void>;
  readonly from: RestoreFrom | undefined;
  readonly acceptReplay: boolean;
  /** Largest checkpoint id known elsewhere, e.g. to the fences of sinks. */
  readonly largestId: number;
}

/** What a coordinator knows when it has taken a job over. */
export interface TakenOver {
  readonly record: CommitRecord;
  readonly restore: RestorePoint | undefined;
  readonly retained: readonly RetainedCheckpoint[];
  /** Largest id that was in use before. */
  readonly lastId: number;
}

/** A checkpoint that was found whole, and those behind it. */
interface Found {
  readonly lineage: Lineage;
  readonly newest: { readonly entry: CommittedCheckpoint; readonly manifest: Manifest } | undefined;
  readonly older: readonly { readonly entry: CommittedCheckpoint; readonly manifest: Manifest }[];
}

/**
 * Finds where the job goes on, and stamps the commit record with the next epoch: from then on a
 * former owner cannot commit any more. An owner that commits while its checkpoints are looked at is
 * stopped by a stamp first.
 *
 * @throws MillraceError `ERR_CHECKPOINT_SUPERSEDED` when somebody else takes the job over meanwhile
 */
export async function takeOver(options: TakeOverOptions): Promise<TakenOver> {
  const found = await loadCurrent(options);
  try {
    return await takeOverFrom(options, found);
  } catch (error) {
    if (!isSuperseded(error)) throw error;
    return takeOverFrom(options, await claim(options, found.record?.epoch));
  }
}

/** What the stores say of a job that is to be taken over. */
interface Current {
  readonly record: CommitRecord | undefined;
  readonly marks: readonly CommitMark[];
}

async function loadCurrent(options: TakeOverOptions): Promise<Current> {
  const { env, job, store, log, from, acceptReplay } = options;
  // Marks first: a former owner that still commits may make new ones, but not behind the record.
  const marks = await loadMarks(store);
  const loaded = await log.load();
  const record = asItStood(loaded);
  if (loaded?.left !== undefined && from === undefined) {
    const message =
      'a restore that did not come to its end is taken back: ask for it again if a sink refuses that';
    const [restored, goesOnFrom] = [loaded.checkpoint?.id, record?.checkpoint?.id];
    env.log.log('warn', message, { job, restored, goesOnFrom });
  }
  if (from === undefined || !acceptReplay) assertNotRolledBack(record, marks.at(-1));
  return { record, marks };
}

/**
 * Stamps the record and leaves all else as it is: the owner does not commit any more while this one
 * makes up its mind. Gives way to whoever has taken over since.
 *
 * @param epoch of the owner
 */
async function claim(options: TakeOverOptions, epoch: number | undefined): Promise<Current> {
  for (let tries = 1; ; tries += 1) {
    const current = await loadCurrent(options);
    if (current.record === undefined || current.record.epoch !== epoch) {
      throw supersededBy(current.record);
    }
    const random = randomId(options.env.random);
    const attempt = { number: current.record.attempt.number, random };
    const record = { ...current.record, epoch: nextEpoch(current), attempt };
    try {
      await options.log.write(record);
      return { ...current, record };
    } catch (error) {
      if (!isSuperseded(error) || tries === runtimeLimits.takeOverTriesMax) throw error;
    }
  }
}

const nextEpoch = ({ record, marks }: Current): number =>
  Math.max(record?.epoch ?? 0, marks.at(-1)?.epoch ?? 0) + 1;

function supersededBy(record: CommitRecord | undefined): MillraceError {
  const detail = `by the coordinator of epoch ${record?.epoch}, which took over at the same time`;
  return new MillraceError('ERR_CHECKPOINT_SUPERSEDED', detail);
}

const isSuperseded = (error: unknown): boolean =>
  error instanceof MillraceError && error.code === 'ERR_CHECKPOINT_SUPERSEDED';

async function takeOverFrom(options: TakeOverOptions, current: Current): Promise<TakenOver> {
  const { env, log, job } = options;
  const { record: before, marks } = current;
  const attempt = { number: before?.attempt.number ?? 0, random: randomId(env.random) };
  const { newest, older, lineage } = await findCurrent(options, before, attempt);

  const lastId = Math.max(
    before?.lastId ?? 0,
    options.largestId,
    newest?.entry.id ?? 0,
    ...marks.map(({ checkpoint }) => checkpoint),
  );
  const record: CommitRecord = {
    format: 1,
    job,
    epoch: nextEpoch(current),
    attempt,
    lineage,
    checkpoint: newest?.entry,
    retained: older.map(({ entry }) => entry),
    lastId: lastId + runtimeLimits.checkpointIdsReserved,
    left: options.from && leftOf(before),
  };
  await log.write(record);

  const retained = [...(newest === undefined ? [] : [newest]), ...older].map(referencesOf);
  const restore = newest && {
    manifest: newest.manifest,
    record,
    finished: newest.entry.kind === 'final',
  };
  return { record, restore, retained, lastId };
}

/** What a deliberate restore leaves, should it come to nothing. */
function leftOf(before: CommitRecord | undefined): CommitRecord['left'] {
  if (before?.checkpoint === undefined) return undefined;
  const { lineage, checkpoint, retained } = before;
  return { lineage, checkpoint, retained };
}

/**
 * Removes blobs that no retained checkpoint needs; those of a job's abandoned history later.
 *
 * Law: what is removed was there before a successor could have written anything. So it is looked for
 * first, then made sure that nobody has taken over, and only what was found is removed, however long
 * this process is stopped in between.
 */
export async function removeOrphans(
  store: CheckpointStore,
  log: Pick<CommitLog, 'assertCurrent'>,
  retained: readonly RetainedCheckpoint[],
): Promise<void> {
  const blobs = [
    ...(await store.list(blobFolders.segments)),
    ...(await store.list(blobFolders.channels)),
    ...(await store.list(blobFolders.outputs)),
    ...(await store.list(blobFolders.manifests)),
  ];
  const marks = (await loadMarks(store)).slice(0, -1);
  await log.assertCurrent();
  for (const blob of orphans(blobs, retained)) await store.remove(blob);
  for (const mark of marks) await store.remove(commitMarkName(mark));
}

/** A coordinator writes the record ahead of all manifests, so where they are it was there. */
async function refuseLostRecord(store: CheckpointStore): Promise<void> {
  const [manifest] = await store.list(blobFolders.manifests);
  if (manifest === undefined) return;
  throw new MillraceError('ERR_METADATA_ROLLBACK', `there is ${manifest}, but no commit record`);
}

async function loadMarks(store: CheckpointStore): Promise<readonly CommitMark[]> {
  const names = await store.list(blobFolders.committed);
  // Names sort like epochs, and within an epoch like checkpoints.
  return names.flatMap((name) => parseCommitMark(name) ?? []);
}

async function findCurrent(
  options: TakeOverOptions,
  before: CommitRecord | undefined,
  attempt: AttemptId,
): Promise<Found> {
  try {
    return await find(options, before, attempt);
  } catch (error) {
    // What is missing may have been deleted by another one that took over meanwhile.
    await options.log.assertCurrent();
    throw error;
  }
}

async function find(
  options: TakeOverOptions,
  before: CommitRecord | undefined,
  attempt: AttemptId,
): Promise<Found> {
  if (options.from !== undefined) return fork(options, options.from, before, attempt);
  if (before === undefined) await refuseLostRecord(options.store);
  const newId = randomId(options.env.random);
  const lineage = before?.lineage ?? { id: newId, parent: undefined };
  const entries = before?.checkpoint === undefined ? [] : [before.checkpoint, ...before.retained];
  for (const [index, entry] of entries.entries()) {
    const loaded = await loadWhole(options, entry);
    if (!(loaded instanceof MillraceError)) {
      const older = await loadReadable(options, entries.slice(index + 1));
      return { lineage, newest: { entry, manifest: loaded }, older };
    }
    assertMayGoBehind(entry, entries[index + 1], loaded);
    options.env.log.log('error', 'a damaged checkpoint is passed over', {
      job: options.job,
      checkpoint: entry.id,
      why: loaded.detail,
    });
  }
  return { lineage, newest: undefined, older: [] };
}

/** The manifest, or in what way the checkpoint is damaged. */
async function loadWhole(
  { store, verifyBlob }: TakeOverOptions,
  entry: CommittedCheckpoint,
): Promise<Manifest | MillraceError> {
  try {
    const manifest = await readManifest(store, entry.manifest);
    for (const ref of blobsOf(manifest)) await verifyBlob(ref);
    return manifest;
  } catch (error) {
    if (isDamage(error)) return error;
    throw error;
  }
}

/** Older ones are needed for their references only; what cannot be read is not kept. */
async function loadReadable(
  { store }: TakeOverOptions,
  entries: readonly CommittedCheckpoint[],
): Promise<Found['older']> {
  const readable = [];
  for (const entry of entries) {
    try {
      readable.push({ entry, manifest: await readManifest(store, entry.manifest) });
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return readable;
}

/** Makes a point from elsewhere, or from before, the job's newest checkpoint. */
async function fork(
  options: TakeOverOptions,
  { manifest: from, store: fromStore = options.store }: RestoreFrom,
  before: CommitRecord | undefined,
  attempt: AttemptId,
): Promise<Found> {
  const { env, store, acceptReplay } = options;
  assertMayBeginWith(from);
  const newId = randomId(env.random);
  const lineage = lineageFrom(from, before, { newId, acceptReplay });
  const adopted = new Map<string, string>();
  const nameOf = (blob: string, folder: BlobFolder): string => {
    if (fromStore === store && blob.startsWith(folder)) return blob;
    const name = adoptedBlobName(blob, folder, newId);
    adopted.set(blob, name);
    return name;
  };
  const manifest = { ...withBlobNames(from, nameOf), lineage };
  for (const [blob, name] of adopted) {
    if ((await fromStore.size(blob)) === undefined) {
      throw new MillraceError('ERR_CHECKPOINT_CORRUPT', `${blob} is missing`);
    }
    await store.adopt(fromStore, blob, name);
  }
  for (const ref of blobsOf(manifest)) await options.verifyBlob(ref);

  const name = manifestName(from.checkpoint, attempt);
  const entry: CommittedCheckpoint = {
    id: from.checkpoint,
    kind: from.kind,
    manifest: await writeManifest(store, name, manifest),
    committedMs: env.clock.nowMs(),
    output: outputOf(from),
  };
  return { lineage, newest: { entry, manifest }, older: [] };
}

function referencesOf({
  entry,
  manifest,
}: {
  readonly entry: CommittedCheckpoint;
  readonly manifest: Manifest;
}): RetainedCheckpoint {
  const blobs = blobsOf(manifest).map(({ blob }) => blob);
  return { id: entry.id, references: new Set([entry.manifest.blob, ...blobs]) };
}
