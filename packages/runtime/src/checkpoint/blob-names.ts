import { MillraceError } from '@millrace/core';
import type { Random } from '@millrace/core/spi';
import type { AttemptId } from './manifest.js';

/** Folders of a checkpoint folder. All names of blobs are formed in this file. */
export const blobFolders = {
  manifests: 'manifests/',
  segments: 'segments/',
  /** What waited in channels at an unaligned checkpoint. */
  channels: 'channels/',
  /** What sinks have not published yet. */
  outputs: 'outputs/',
  /** One folder for each savepoint, which is complete once its manifest is there. */
  savepoints: 'savepoints/',
  /** Marks of commits, apart from the meta store, to notice when that travelled back. */
  committed: 'committed/',
} as const;

/** The meta store's record that says which checkpoint counts. */
export const commitRecordName = 'commit';

export function manifestName(checkpoint: number, attempt: AttemptId): string {
  return `${blobFolders.manifests}${digits(checkpoint)}-${attempt.number}-${attempt.random}.json`;
}

/**
 * What a task writes for a checkpoint.
 *
 * @param attempt a name that no other attempt of any process has
 */
export function segmentName(checkpoint: number, attempt: string, task: string): string {
  const number = String(checkpoint).padStart(10, '0');
  return `${blobFolders.segments}${number}-${attempt}-${fileSafe(task)}`;
}

/** What the channels that a task reads had for an unaligned checkpoint. */
export function channelsName(checkpoint: number, attempt: string, task: string): string {
  const number = String(checkpoint).padStart(10, '0');
  return `${blobFolders.channels}in-${number}-${attempt}-${fileSafe(task)}`;
}

/** @param number of the merge, among those of its task and attempt */
export function mergedSegmentName(attempt: string, task: string, number: number): string {
  return `${blobFolders.segments}merged-${attempt}-${fileSafe(task)}-${number}`;
}

/** @param number of the blob, among those of its writer and attempt */
export function outputName(
  attempt: string,
  writer: { readonly operator: string; readonly subtask: number },
  number: number,
): string {
  const { operator, subtask } = writer;
  return `${blobFolders.outputs}out-${attempt}-${fileSafe(operator)}-${subtask}-${number}`;
}

/** @throws MillraceError `ERR_INVALID_OPTION` for what cannot be a savepoint's name */
export function checkSavepointName(name: string, field = 'name'): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) {
    throw new MillraceError(
      'ERR_INVALID_OPTION',
      `${JSON.stringify(name)} is no name of a savepoint: letters, digits, "-", "_" and "."`,
      { field },
    );
  }
}

function savepointFolder(name: string): string {
  checkSavepointName(name);
  return `${blobFolders.savepoints}${name}/`;
}

export function savepointManifestName(name: string): string {
  return `${savepointFolder(name)}manifest.json`;
}

/** Where a blob of a checkpoint is in a savepoint's folder. */
export function savepointBlobName(name: string, blob: string): string {
  return `${savepointFolder(name)}${lastPart(blob)}`;
}

/** Where a job keeps the blobs that its checkpoints refer to. */
export type BlobFolder = (typeof blobFolders)['segments' | 'channels' | 'outputs'];

/** What a savepoint's blob is called when a checkpoint refers to it. */
export function adoptedBlobName(blob: string, folder: BlobFolder, lineage: string): string {
  // Jobs go on from one another's savepoints: the name must not grow with each.
  return `${folder}from-${lineage}-${lastPart(blob).replace(/^(from-[0-9a-f]{16}-)+/, '')}`;
}

/** A point of a job's history; marks are ordered by epoch, then checkpoint. */
export interface CommitMark {
  readonly epoch: number;
  readonly checkpoint: number;
}

export function commitMarkName({ epoch, checkpoint }: CommitMark): string {
  return `${blobFolders.committed}${digits(epoch)}-${digits(checkpoint)}`;
}

/** Undefined for a name that is none of a mark. */
export function parseCommitMark(name: string): CommitMark | undefined {
  const match = /^committed\/(\d+)-(\d+)$/.exec(name);
  return match === null ? undefined : { epoch: Number(match[1]), checkpoint: Number(match[2]) };
}

/** 64 random bits in hexadecimal. */
export function randomId(random: Random): string {
  const half = (): string =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return half() + half();
}

/** Thirteen digits, so that names sort like numbers. */
export function digits(number: number): string {
  return String(number).padStart(13, '0');
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Ids may have any characters; those that names do not allow become their code. */
function fileSafe(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9.-]/g, (character) => {
    return `_${character.codePointAt(0)!.toString(16)}_`;
  });
}
