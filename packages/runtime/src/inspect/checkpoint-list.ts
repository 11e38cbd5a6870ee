import { MillraceError } from '@millrace/core';
import { verifySegment } from '@millrace/state/internal';
import { readChannelStates } from '../checkpoint/channel-state.js';
import {
  entriesIn,
  entryOf,
  type FolderWorld,
  type ManifestOrigin,
  type PointEntry,
} from '../checkpoint/checkpoint-folder.js';
import { channelsOf, segmentsOf, verifyBlob } from '../checkpoint/manifest-io.js';
import { inputOf } from '../checkpoint/segment-chain.js';
import { stagedBlobsOf } from '../checkpoint/staged-blobs.js';
import { runtimeLimits } from '../limits.js';

/** A checkpoint or savepoint whose manifest could be read. */
export interface StoredPoint extends ManifestOrigin {
  /** `42`, or the savepoint's name. */
  readonly name: string;
  /** Epoch ms; undefined for savepoints, which have the time at which they were triggered. */
  readonly committedMs: number | undefined;
}

/** What came of looking at a point. */
export type Look<R> =
  | { readonly kind: 'seen'; readonly result: R }
  | { readonly kind: 'damaged'; readonly why: MillraceError }
  /** A job that runs has replaced it with a newer one, and deletes it. */
  | { readonly kind: 'replaced' };

/** Looks at one point, and tells damage from what a job deletes while it is looked at. */
export async function lookAt<R>(
  world: FolderWorld,
  folder: string,
  { name, committedMs, read }: PointEntry,
  look: (point: StoredPoint) => R | Promise<R>,
): Promise<Look<R>> {
  try {
    return { kind: 'seen', result: await look({ ...(await read()), name, committedMs }) };
  } catch (why) {
    if (!(why instanceof MillraceError)) throw why;
    // A job says so in its commit record before it deletes anything.
    const entries = await entriesIn(world, folder);
    const isThere = entries.some((entry) => entry.name === name);
    return isThere ? { kind: 'damaged', why } : { kind: 'replaced' };
  }
}

/**
 * Looks at a point by its name.
 *
 * @param name a checkpoint's id or a savepoint's name; by default the newest checkpoint
 * @throws MillraceError `ERR_CHECKPOINT_MISSING`, and what is wrong with the point
 */
export async function atPoint<R>(
  world: FolderWorld,
  folder: string,
  name: string | undefined,
  look: (point: StoredPoint) => R | Promise<R>,
): Promise<R> {
  for (let tries = 1; ; tries += 1) {
    const entry = entryOf(await entriesIn(world, folder), folder, name);
    const seen = await lookAt(world, folder, entry, look);
    if (seen.kind === 'seen') return seen.result;
    if (seen.kind === 'damaged') throw seen.why;
    if (name === undefined && tries < runtimeLimits.inspectTriesMax) continue;
    const detail = `the job that runs has replaced ${entry.name} meanwhile; look at a savepoint`;
    throw new MillraceError('ERR_CHECKPOINT_MISSING', detail);
  }
}

/** Rows and bytes of one state in a chain, as far as its segments say; hidden ones are counted. */
export interface StateCount {
  readonly operator: string;
  readonly state: string;
  readonly kind: string;
  readonly blocks: number;
  readonly rows: number;
}

/**
 * Reads every byte of a point and checks it against all its checksums.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT` saying what is damaged
 */
export async function verifyPoint({
  manifest,
  store,
}: StoredPoint): Promise<readonly StateCount[]> {
  const counts = new Map<string, StateCount>();
  for (const output of stagedBlobsOf(manifest.sinks)) await verifyBlob(store, output);
  for (const channels of channelsOf(manifest.tasks)) {
    await verifyBlob(store, channels);
    readChannelStates(await store.read(channels.blob));
  }
  for (const segment of segmentsOf(manifest)) {
    await verifyBlob(store, segment);
    for (const { layout, blocks, rows } of await verifySegment(
      inputOf(store, segment),
      segment.bytes,
    )) {
      const { operator, state, kind } = layout;
      const id = `${operator}\n${state}`;
      const before = counts.get(id) ?? { operator, state, kind, blocks: 0, rows: 0 };
      const all = Object.values(blocks).reduce((sum, count) => sum + count, 0);
      counts.set(id, { ...before, blocks: before.blocks + all, rows: before.rows + rows.rows });
    }
  }
  return [...counts.values()];
}
