import type { MillraceError } from '@millrace/core';
import type { KeyGroupRange } from '@millrace/core/internal';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import {
  type MergeInput,
  mergeSegments,
  planMerge,
  readSegmentIndex,
  type SegmentIndex,
  SegmentWriter,
  segmentUses,
} from '@millrace/state/internal';
import { runtimeLimits } from '../limits.js';
import { mergedSegmentName } from './blob-names.js';
import type { SegmentRef, TaskPart } from './manifest.js';
import { isDamage } from './manifest-io.js';

export interface SegmentChainParts {
  readonly task: string;
  /** Names the attempt in blobs. */
  readonly attempt: string;
  readonly keyGroups: KeyGroupRange;
  /** Those of the task that have state. */
  readonly operators: readonly string[];
  readonly env: Env;
  readonly store: CheckpointStore;
  /** The chain that the task was restored from. */
  readonly restored: readonly SegmentRef[];
  /** A segment is missing or damaged: whoever restores the chain cannot read it. */
  readonly onDamage: (error: MillraceError) => void;
}

/** Reads parts of a blob. */
export function inputOf(store: CheckpointStore, { blob }: SegmentRef): MergeInput['read'] {
  return (fromByte, length) => store.read(blob, fromByte, length);
}

/**
 * The segments that make up a task's state, oldest first. Each checkpoint adds one; runs of small
 * ones are merged in the background, a bounded piece at a time, so that the chain stays short.
 *
 * Law: a merge replaces a run of segments by one that says the same, so whoever reads the chain at
 * any time sees the same state.
 */
export class SegmentChain {
  private segments: ChainSegment[];
  private merging: Promise<void> | undefined;
  private merged = 0;
  private isClosed = false;
  /** Segments that nobody was told of, so that nobody else removes them. */
  private readonly untold = new Set<string>();
  private removing: Promise<void> = Promise.resolve();
  private readonly parts: SegmentChainParts;

  constructor(parts: SegmentChainParts) {
    this.parts = parts;
    this.segments = parts.restored.map((ref) => ({ ref, index: undefined }));
  }

  /** What checkpoints say of the chain; from now on its segments are known to the coordinator. */
  part(): TaskPart {
    const { task, keyGroups, operators } = this.parts;
    for (const { ref } of this.segments) this.untold.delete(ref.blob);
    return { task, keyGroups, operators, chain: this.segments.map(({ ref }) => ref) };
  }

  /**
   * Adds the segment of a checkpoint. Waits only where merging cannot keep up with the bound.
   *
   * @param index what it holds; read from it where that is not known
   */
  async add(ref: SegmentRef, index?: SegmentIndex): Promise<void> {
    this.untold.add(ref.blob);
    this.segments.push({ ref, index });
    if (this.isClosed) return this.close();
    try {
      await Promise.all(this.segments.map((segment) => this.load(segment)));
    } catch (error) {
      if (isDamage(error)) this.parts.onDamage(error);
      throw error;
    }
    this.startMerge(this.prune());
    if (this.segments.length > runtimeLimits.chainSegmentsMax) await this.merging;
  }

  /** Ends merging; what was being merged is thrown away. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.merging;
    this.renew();
    await this.removing;
  }

  /** Begins anew with the next segment, which is to have everything. */
  renew(): void {
    this.leave(this.segments);
    this.segments = [];
  }

  /** Removes what nobody was told of; where that fails, the job's next start does. */
  private leave(segments: readonly ChainSegment[]): void {
    const { store } = this.parts;
    for (const { ref } of segments) {
      if (!this.untold.delete(ref.blob)) continue;
      this.removing = this.removing.then(() => store.remove(ref.blob)).catch(() => undefined);
    }
  }

  /** Leaves out segments that say nothing any more; returns the bytes that count of the others. */
  private prune(): readonly number[] {
    // A merge under way replaces what it found in its places.
    if (this.merging !== undefined) return [];
    const uses = segmentUses(this.segments.map(({ index }) => index!));
    this.leave(this.segments.filter((_, at) => uses[at]!.isObsolete));
    this.segments = this.segments.filter((_, at) => !uses[at]!.isObsolete);
    return uses.filter(({ isObsolete }) => !isObsolete).map(({ liveBytes }) => liveBytes);
  }

  private startMerge(liveBytes: readonly number[]): void {
    if (this.merging !== undefined || this.isClosed) return;
    const plan = planMerge(liveBytes.map((bytes) => ({ bytes })));
    if (plan === undefined) return;
    const { env } = this.parts;
    this.merging = this.merge(plan.from, plan.to)
      .catch((error: unknown) => {
        if (this.isClosed) return;
        if (isDamage(error)) this.parts.onDamage(error);
        // The chain is longer for it, not wrong; the next checkpoint tries again.
        else env.log.log('warn', 'merging segments failed', { error: String(error) });
      })
      .finally(() => {
        this.merging = undefined;
      });
  }

  private async merge(from: number, to: number): Promise<void> {
    const { store, task, attempt, env } = this.parts;
    const run = this.segments.slice(from, to);
    const inputs = run.map(({ ref, index }) => ({ index: index!, read: inputOf(store, ref) }));
    this.merged += 1;
    const blob = await store.create(mergedSegmentName(attempt, task, this.merged));
    try {
      const writer = new SegmentWriter();
      const pause = async (): Promise<void> => {
        for (const chunk of writer.takeChunks()) await blob.write(chunk);
        await env.scheduler.yield();
        if (this.isClosed) throw new Error('the task has ended');
      };
      const isComplete = from === 0;
      await mergeSegments(inputs, writer, { isComplete, pause, inputs: 'tidy' });
      const index = writer.finish();
      for (const chunk of writer.takeChunks()) await blob.write(chunk);
      const { name, bytes, sha256 } = await blob.complete();
      const merged: ChainSegment = { ref: { blob: name, bytes, sha256 }, index };
      this.untold.add(name);
      this.segments.splice(from, run.length, merged);
      this.leave(run);
    } catch (error) {
      await blob.abort().catch(() => undefined);
      throw error;
    }
  }

  private async load(segment: ChainSegment): Promise<void> {
    const { ref } = segment;
    segment.index ??= await readSegmentIndex(inputOf(this.parts.store, ref), ref.bytes);
  }
}

/** A segment, and what it holds once that was looked at. */
interface ChainSegment {
  readonly ref: SegmentRef;
  index: SegmentIndex | undefined;
}
