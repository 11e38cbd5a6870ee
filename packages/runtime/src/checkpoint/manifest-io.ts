import { MillraceError } from '@millrace/core';
import { canonicalJson } from '@millrace/core/internal';
import type { CheckpointStore } from '@millrace/core/spi';
import { sha256Digest } from '../host/digest.js';
import { runtimeLimits } from '../limits.js';
import { type BlobFolder, blobFolders } from './blob-names.js';
import type { ChannelsRef, Manifest, SegmentRef, TaskPart } from './manifest.js';
import { stagedBlobsOf, withStagedNames } from './staged-blobs.js';

/** Writes a manifest durably under a name. */
export async function writeManifest(
  store: CheckpointStore,
  name: string,
  manifest: Manifest,
): Promise<SegmentRef> {
  return writeBlob(store, name, new TextEncoder().encode(canonicalJson(manifest)));
}

/** Writes a small blob durably. */
export async function writeBlob(
  store: CheckpointStore,
  name: string,
  content: Uint8Array,
): Promise<SegmentRef> {
  const writer = await store.create(name);
  try {
    await writer.write(content);
    const { bytes, sha256 } = await writer.complete();
    return { blob: name, bytes, sha256 };
  } catch (error) {
    await writer.abort().catch(() => undefined);
    throw error;
  }
}

/** @throws MillraceError `ERR_CHECKPOINT_CORRUPT` when it is missing or not what was written */
export async function readManifest(store: CheckpointStore, ref: SegmentRef): Promise<Manifest> {
  await verifyBlob(store, ref);
  const manifest = JSON.parse(new TextDecoder().decode(await store.read(ref.blob))) as Manifest;
  if (manifest.format === 1) return manifest;
  throw corrupt(`${ref.blob} has format ${manifest.format}, which is unknown here`);
}

/**
 * Reads a blob and compares size and checksum.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT` when it is missing or not what was written
 */
export async function verifyBlob(store: CheckpointStore, ref: SegmentRef): Promise<void> {
  const bytes = await store.size(ref.blob);
  if (bytes === undefined) throw corrupt(`${ref.blob} is missing`);
  const digest = sha256Digest();
  for (let at = 0; at < bytes; at += runtimeLimits.blobReadBytes) {
    digest.update(await store.read(ref.blob, at, runtimeLimits.blobReadBytes));
  }
  if (bytes !== ref.bytes || digest.hex() !== ref.sha256) {
    throw corrupt(`${ref.blob} is not what was written to it`);
  }
}

/** All segments of state that a checkpoint needs; each once. */
export function segmentsOf({ tasks }: Manifest): readonly SegmentRef[] {
  const byName = new Map(tasks.flatMap(({ chain }) => chain).map((ref) => [ref.blob, ref]));
  return [...byName.values()];
}

/** What waited in channels; nothing for an aligned checkpoint. */
export const channelsOf = (tasks: readonly TaskPart[]): readonly ChannelsRef[] =>
  tasks.flatMap(({ channels }) => channels ?? []);

/** All blobs that a checkpoint needs, without its manifest. */
export function blobsOf(manifest: Manifest): readonly SegmentRef[] {
  const { tasks, sinks } = manifest;
  return [...segmentsOf(manifest), ...channelsOf(tasks), ...stagedBlobsOf(sinks)];
}

/** The same checkpoint with other names for its blobs. */
export function withBlobNames(
  manifest: Manifest,
  nameOf: (blob: string, folder: BlobFolder) => string,
): Manifest {
  const tasks = manifest.tasks.map(({ channels, ...task }) => ({
    ...task,
    chain: task.chain.map((ref) => ({ ...ref, blob: nameOf(ref.blob, blobFolders.segments) })),
    ...(channels !== undefined && {
      channels: { ...channels, blob: nameOf(channels.blob, blobFolders.channels) },
    }),
  }));
  const sinks = manifest.sinks.map((part) =>
    withStagedNames(part, (blob) => nameOf(blob, blobFolders.outputs)),
  );
  return { ...manifest, tasks, sinks };
}

/** Whether sinks may have published something once the checkpoint was committed. */
export function outputOf({ sinks }: Manifest): 'none' | 'prepared' {
  const some = sinks.some(({ prepared }) => prepared !== undefined && prepared !== null);
  return some ? 'prepared' : 'none';
}

/** Whether a blob is missing or not what was written: reading it again gives the same. */
export function isDamage(error: unknown): error is MillraceError {
  const codes = ['ERR_CHECKPOINT_CORRUPT', 'ERR_CODEC_CORRUPT', 'ERR_STORAGE_MISSING'];
  return error instanceof MillraceError && codes.includes(error.code);
}

function corrupt(detail: string): MillraceError {
  return new MillraceError('ERR_CHECKPOINT_CORRUPT', detail);
}
