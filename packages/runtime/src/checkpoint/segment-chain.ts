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
  private readonly parts: SegmentChainParts;

  constructor(parts: SegmentChainParts) {
    this.parts = parts;
    this.segments = parts.restored.map((ref) => ({ ref, index: undefined }));
  }

  part(): TaskPart {
    const { task, keyGroups, operators } = this.parts;
    return { task, keyGroups, operators, chain: this.segments.map(({ ref }) => ref) };
  }

  /**
   * Adds the segment of a checkpoint. Waits only where merging cannot keep up with the bound.
   *
   * @param index what it holds; read from it where that is not known
   */
  async add(ref: SegmentRef, index?: SegmentIndex): Promise<void> {
    this.segments.push({ ref, index });
    await Promise.all(this.segments.map((segment) => this.load(segment)));
    this.startMerge(this.prune());
    if (this.segments.length > runtimeLimits.chainSegmentsMax) await this.merging;
  }

  /** Ends merging; what was being merged is thrown away. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.merging;
  }

  /** Leaves out segments that say nothing any more; returns the bytes that count of the others. */
  private prune(): readonly number[] {
    // A merge under way replaces what it found in its places.
    if (this.merging !== undefined) return [];
    const uses = segmentUses(this.segments.map(({ index }) => index!));
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
        // The chain is longer for it, not wrong; the next checkpoint tries again.
        if (this.isClosed) return;
        env.log.log('warn', 'merging segments failed', { error: String(error) });
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
      this.segments.splice(from, run.length, merged);
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
