import { MillraceError } from '@millrace/core';
import type { CheckpointStore } from '@millrace/core/spi';
import { verifySegment } from '@millrace/state/internal';
import { blobFolders } from '../checkpoint/blob-names.js';
import { readChannelStates } from '../checkpoint/channel-state.js';
import { commitRecordOf, type FolderWorld, manifestOf } from '../checkpoint/checkpoint-folder.js';
import { folderStores } from '../checkpoint/folder-stores.js';
import type { CommittedCheckpoint, Manifest } from '../checkpoint/manifest.js';
import { channelsOf, readManifest, segmentsOf, verifyBlob } from '../checkpoint/manifest-io.js';
import { inputOf } from '../checkpoint/segment-chain.js';
import { stagedBlobsOf } from '../checkpoint/staged-blobs.js';

/** A checkpoint or savepoint that can be restored from. */
export interface StoredPoint {
  /** `42`, or the savepoint's name. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly store: CheckpointStore;
  /** Epoch ms; undefined for savepoints, which have the time at which they were triggered. */
  readonly committedMs: number | undefined;
}

/** All points in a job's folder, newest first, then its savepoints; or a savepoint's own. */
export async function pointsIn(world: FolderWorld, folder: string): Promise<StoredPoint[]> {
  const stores = folderStores(world, folder);
  const { checkpoints: store } = stores;
  const record = await commitRecordOf(stores);
  const retained = record === undefined ? [] : [record.checkpoint, ...record.retained];
  const committed = retained.filter((entry): entry is CommittedCheckpoint => entry !== undefined);
  const points: StoredPoint[] = [];
  for (const { id, manifest, committedMs } of committed) {
    points.push({
      name: String(id),
      manifest: await readManifest(store, manifest),
      store,
      committedMs,
    });
  }
  for (const name of await store.list(blobFolders.savepoints)) {
    const [, savepoint, file] = name.split('/');
    if (file !== 'manifest.json') continue;
    const origin = await manifestOf(world, `${folder}/${blobFolders.savepoints}${savepoint}`);
    points.push({ name: savepoint!, ...origin, committedMs: undefined });
  }
  if (points.length > 0) return points;
  const own = await manifestOf(world, folder);
  return [{ name: 'savepoint', ...own, committedMs: undefined }];
}

/**
 * @param name a checkpoint's id or a savepoint's name; by default the newest checkpoint
 * @throws MillraceError `ERR_CHECKPOINT_MISSING`
 */
export async function pointAt(
  world: FolderWorld,
  folder: string,
  name: string | undefined,
): Promise<StoredPoint> {
  const points = await pointsIn(world, folder);
  const found = name === undefined ? points[0] : points.find((point) => point.name === name);
  if (found !== undefined) return found;
  const names = points.map((point) => point.name).join(', ');
  throw new MillraceError('ERR_CHECKPOINT_MISSING', `${folder} has no ${name}, but ${names}`);
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
