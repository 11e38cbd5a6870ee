import type { KeyGroupRange } from '@millrace/core/internal';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import {
  type MergeInput,
  mergeSegments,
  planMerge,
  readSegmentIndex,
  SegmentWriter,
} from '@millrace/state/internal';
import type { SegmentRef, TaskPart } from './manifest.js';

export interface SegmentChainParts {
  readonly task: string;
  /** Names the attempt in blobs. */
  readonly attempt: string;
  readonly keyGroups: KeyGroupRange;
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
  private segments: SegmentRef[];
  private merging: Promise<void> | undefined;
  private merged = 0;
  private isClosed = false;
  private readonly parts: SegmentChainParts;

  constructor(parts: SegmentChainParts) {
    this.parts = parts;
    this.segments = [...parts.restored];
  }

  part(): TaskPart {
    const { task, keyGroups } = this.parts;
    return { task, keyGroups, chain: [...this.segments] };
  }

  /** Adds the segment of a checkpoint. Waits only where merging cannot keep up with the bound. */
  async add(segment: SegmentRef): Promise<void> {
    this.segments.push(segment);
    this.startMerge();
    if (planMerge(this.segments) !== undefined && this.segments.length > chainSegmentsMax) {
      await this.merging;
    }
  }

  /** Ends merging; what was being merged is thrown away. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.merging;
  }

  private startMerge(): void {
    const plan = planMerge(this.segments);
    if (this.merging !== undefined || this.isClosed || plan === undefined) return;
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
    const inputs = await Promise.all(run.map((segment) => this.open(segment)));
    this.merged += 1;
    const blob = await store.create(`segments/merged-${attempt}-${task}-${this.merged}`);
    try {
      const writer = new SegmentWriter();
      const pause = async (): Promise<void> => {
        for (const chunk of writer.takeChunks()) await blob.write(chunk);
        await env.scheduler.yield();
        if (this.isClosed) throw new Error('the task has ended');
      };
      await mergeSegments(inputs, writer, { isComplete: from === 0, pause });
      writer.finish();
      for (const chunk of writer.takeChunks()) await blob.write(chunk);
      const { name, bytes, sha256 } = await blob.complete();
      this.segments.splice(from, run.length, { blob: name, bytes, sha256 });
    } catch (error) {
      await blob.abort().catch(() => undefined);
      throw error;
    }
  }

  private async open(segment: SegmentRef): Promise<MergeInput> {
    const read = inputOf(this.parts.store, segment);
    return { index: await readSegmentIndex(read, segment.bytes), read };
  }
}

/** Segments in a chain beyond which checkpoints wait for merging. */
const chainSegmentsMax = 32;
