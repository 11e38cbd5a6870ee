import { blobFolders } from './blob-names.js';

/** A committed checkpoint that is kept, with all blobs it needs. */
export interface RetainedCheckpoint {
  readonly id: number;
  readonly references: ReadonlySet<string>;
}

/** What is known about who needs which blob. */
export interface Retention {
  /** Newest first. */
  readonly retained: readonly RetainedCheckpoint[];
  /**
   * The blobs of each task as it acknowledged them last: its next chain may build on them, and its
   * sinks still publish what is among them when the checkpoint is aborted.
   */
  readonly chains: ReadonlyMap<
    string,
    { readonly checkpoint: number; readonly blobs: readonly string[] }
  >;
  /** Blobs of checkpoints that were not committed; chains may still build on them. */
  readonly loose: ReadonlySet<string>;
  /** Blobs of checkpoints whose commit was not answered: the next commit shows that it failed. */
  readonly unsure: ReadonlySet<string>;
}

/** A task has said what its chain is now, be it too late or not. */
export function withChain(
  retention: Retention,
  task: string,
  checkpoint: number,
  blobs: readonly string[],
): Retention {
  if ((retention.chains.get(task)?.checkpoint ?? -1) >= checkpoint) return retention;
  return { ...retention, chains: new Map(retention.chains).set(task, { checkpoint, blobs }) };
}

export function withLoose(retention: Retention, blobs: Iterable<string>): Retention {
  return { ...retention, loose: new Set([...retention.loose, ...blobs]) };
}

export function withUnsure(retention: Retention, blobs: Iterable<string>): Retention {
  return { ...retention, unsure: new Set([...retention.unsure, ...blobs]) };
}

/** New tasks build on what is committed; chains of the old ones are nobody's. */
export function withoutChains(retention: Retention): Retention {
  const blobs = [...retention.chains.values()].flatMap((chain) => chain.blobs);
  return { ...withLoose(retention, blobs), chains: new Map() };
}

interface Swept {
  readonly retention: Retention;
  readonly deletable: readonly string[];
}

/**
 * What is kept after a commit, and what may be deleted: blobs that only dropped or uncommitted
 * checkpoints referred to.
 */
export function afterCommit(
  retention: Retention,
  committed: RetainedCheckpoint,
  keep: number,
): Swept {
  const all = [committed, ...retention.retained];
  const dropped = all.slice(keep).flatMap(({ references }) => [...references]);
  const loose = new Set([...retention.loose, ...retention.unsure, ...dropped]);
  return swept({ ...retention, retained: all.slice(0, keep), loose, unsure: new Set() });
}

/** Frees what an uncommitted checkpoint left, so that a full disk does not stay full by itself. */
export function swept(retention: Retention): Swept {
  const needed = new Set([
    ...retention.retained.flatMap(({ references }) => [...references]),
    ...[...retention.chains.values()].flatMap(({ blobs }) => blobs),
    ...retention.unsure,
  ]);
  const loose = [...retention.loose];
  return {
    // What a chain builds on may be dropped from it later.
    retention: { ...retention, loose: new Set(loose.filter((blob) => needed.has(blob))) },
    deletable: loose.filter((blob) => !needed.has(blob) && isOwn(blob)),
  };
}

/** Of all blobs there are, those that no retained checkpoint refers to. */
export function orphans(
  blobs: readonly string[],
  retained: readonly RetainedCheckpoint[],
): readonly string[] {
  const needed = new Set(retained.flatMap(({ references }) => [...references]));
  return blobs.filter((blob) => !needed.has(blob) && isOwn(blob));
}

/** Savepoints belong to who asked for them. */
function isOwn(blob: string): boolean {
  const { segments, channels, outputs, manifests } = blobFolders;
  return [segments, channels, outputs, manifests].some((folder) => blob.startsWith(folder));
}
