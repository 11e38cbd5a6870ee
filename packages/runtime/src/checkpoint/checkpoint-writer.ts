import { MillraceError } from '@millrace/core';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import {
  type CommitMark,
  commitMarkName,
  savepointBlobName,
  savepointManifestName,
} from './blob-names.js';
import type { CheckpointMeasures } from './checkpoint-history.js';
import type { CommitLog } from './commit-log.js';
import type { CoordinatorEffect } from './coordinator-state.js';
import type {
  AttemptId,
  CheckpointKind,
  CommitRecord,
  Manifest,
  SegmentRef,
  StateSummary,
  TaskSnapshot,
} from './manifest.js';
import { blobsOf, channelsOf, outputOf, withBlobNames, writeManifest } from './manifest-io.js';
import type { RestorePoint } from './restore-point.js';
import { writeSavepointManifest } from './savepoint-manifest.js';
import { stagedBlobsOf } from './staged-blobs.js';

export interface CheckpointWriterOptions {
  readonly env: Env;
  readonly store: CheckpointStore;
  readonly log: CommitLog;
  readonly job: string;
  readonly keyGroups: number;
  readonly fingerprint: string;
  /** Of the attempt that runs. */
  readonly states: () => readonly StateSummary[];
}

/** The checkpoint in progress as data: what tasks gave for it, and what is written of it. */
export class CheckpointWriter {
  private readonly options: CheckpointWriterOptions;
  private checkpoint = 0;
  private isDrained = false;
  private attempt: AttemptId | undefined;
  private triggeredMs = 0;
  private snapshots = new Map<string, TaskSnapshot>();
  private written: { readonly manifest: Manifest; readonly ref: SegmentRef } | undefined;
  private lastMark: CommitMark | undefined;
  private readonly savepoints = new Map<string, Manifest>();

  constructor(options: CheckpointWriterOptions) {
    this.options = options;
  }

  begin(
    { checkpoint, isDrained }: Extract<CoordinatorEffect, { kind: 'trigger' }>,
    attempt: AttemptId,
  ): void {
    this.checkpoint = checkpoint;
    this.isDrained = isDrained;
    this.attempt = attempt;
    this.triggeredMs = this.options.env.clock.nowMs();
    this.snapshots = new Map();
    this.written = undefined;
  }

  /** What a task acknowledged; of another checkpoint it is not used. */
  keep(checkpoint: number, task: string, snapshot: TaskSnapshot): void {
    if (checkpoint !== this.checkpoint || this.snapshots.has(task)) return;
    this.snapshots.set(task, snapshot);
  }

  /** What tasks have said of the checkpoint so far; of another one nothing is known. */
  measured(checkpoint: number): CheckpointMeasures {
    const snapshots = checkpoint === this.checkpoint ? [...this.snapshots.values()] : [];
    const parts = snapshots.map(({ part }) => part);
    const blobs = snapshots.flatMap(({ part, sinks }) => [...part.chain, ...stagedBlobsOf(sinks)]);
    const channelBytes = bytesOf(channelsOf(parts));
    return {
      bytes: bytesOf(blobs) + channelBytes,
      channelBytes,
      syncMs: Math.max(0, ...snapshots.map(({ syncMs }) => syncMs)),
      alignmentMs: Math.max(0, ...snapshots.map(({ alignmentMs }) => alignmentMs)),
    };
  }

  /** Stamps the commit record: ids to this one may be in use. */
  async reserve(checkpoint: number, attempt: AttemptId): Promise<void> {
    await this.options.log.write({ ...this.record(), attempt, lastId: checkpoint });
  }

  async write(name: string, kind: CheckpointKind): Promise<void> {
    const { store, job, keyGroups, fingerprint, states } = this.options;
    const snapshots = [...this.snapshots.values()];
    const manifest: Manifest = {
      format: 1,
      job,
      checkpoint: this.checkpoint,
      kind,
      ...(this.isDrained && { drained: true as const }),
      attempt: this.attempt!,
      lineage: this.record().lineage,
      triggeredMs: this.triggeredMs,
      keyGroups,
      fingerprint,
      states: states(),
      tasks: snapshots.map(({ part }) => part),
      sources: bySubtask(snapshots.flatMap(({ sources }) => sources)),
      sinks: bySubtask(snapshots.flatMap(({ sinks }) => sinks)),
    };
    this.written = { manifest, ref: await writeManifest(store, name, manifest) };
  }

  /** The commit point. Resolves with where a next attempt goes on. */
  async commit(effect: Extract<CoordinatorEffect, { kind: 'commit' }>): Promise<RestorePoint> {
    const before = this.record();
    const { manifest, ref } = this.whole();
    const older = before.checkpoint === undefined ? [] : [before.checkpoint, ...before.retained];
    const record: CommitRecord = {
      ...before,
      attempt: manifest.attempt,
      checkpoint: {
        id: effect.checkpoint,
        kind: effect.as,
        manifest: ref,
        committedMs: this.options.env.clock.nowMs(),
        output: outputOf(manifest),
      },
      retained: older.filter(({ id }) => effect.retained.includes(id)),
      lastId: effect.lastId,
    };
    await this.options.log.write(record);
    return { manifest, record, finished: effect.as === 'final' };
  }

  /** Leaves a mark of the commit apart from the meta store, in place of the last one. */
  async mark(): Promise<void> {
    const { store } = this.options;
    const mark = { epoch: this.record().epoch, checkpoint: this.checkpoint };
    await store.adopt(store, this.whole().ref.blob, commitMarkName(mark));
    const last = this.lastMark;
    this.lastMark = mark;
    if (last !== undefined) await store.remove(commitMarkName(last));
  }

  /** Fills a savepoint's folder; its manifest comes last and makes it complete. */
  async copyTo(name: string): Promise<void> {
    const { store } = this.options;
    const { manifest } = this.whole();
    const copy = withBlobNames(manifest, (blob) => savepointBlobName(name, blob));
    for (const { blob } of blobsOf(manifest)) {
      await store.adopt(store, blob, savepointBlobName(name, blob));
    }
    await writeSavepointManifest(store, savepointManifestName(name), copy);
    this.savepoints.set(name, copy);
  }

  /** The manifest of a savepoint that was just copied; given out once. */
  savepoint(name: string): Manifest {
    const manifest = this.savepoints.get(name);
    this.savepoints.delete(name);
    if (manifest === undefined) throw new MillraceError('ERR_INVARIANT', `no savepoint ${name}`);
    return manifest;
  }

  private record(): CommitRecord {
    const { record } = this.options.log;
    if (record === undefined) throw new MillraceError('ERR_INVARIANT', 'there is no commit record');
    return record;
  }

  private whole(): { readonly manifest: Manifest; readonly ref: SegmentRef } {
    if (this.written !== undefined) return this.written;
    throw new MillraceError('ERR_INVARIANT', `checkpoint ${this.checkpoint} has no manifest`);
  }
}

/** Each blob counts once. */
function bytesOf(blobs: readonly SegmentRef[]): number {
  const byName = new Map(blobs.map(({ blob, bytes }) => [blob, bytes]));
  return [...byName.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Tasks acknowledge in any order. */
const bySubtask = <P extends { readonly subtask: number }>(parts: readonly P[]): readonly P[] =>
  [...parts].sort((a, b) => a.subtask - b.subtask);
