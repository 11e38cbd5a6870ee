import type {
  BlobWriter,
  CheckpointBarrier,
  CheckpointMode,
  CheckpointStore,
  Env,
} from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import {
  type BlockSink,
  ChunkBuffers,
  type SegmentIndex,
  SegmentWriter,
  type StateLayout,
} from '@millrace/state/internal';
import { channelsName, segmentName } from '../checkpoint/blob-names.js';
import { batchesIn, type ChannelState, writeChannelStates } from '../checkpoint/channel-state.js';
import { jsonCopy } from '../checkpoint/json-copy.js';
import type { ChannelsRef, SinkPart, SourcePart, TaskSnapshot } from '../checkpoint/manifest.js';
import { writeBlob } from '../checkpoint/manifest-io.js';
import type { SegmentChain } from '../checkpoint/segment-chain.js';
import { runtimeLimits } from '../limits.js';
import type { InputGate } from './input-gate.js';
import type { SourceInput } from './source-input.js';
import type { SpareWork } from './task.js';

export interface TaskSnapshotsParts {
  readonly task: string;
  /** Number of the task's subtasks. */
  readonly subtask: number;
  readonly attempt: string;
  readonly env: Env;
  readonly store: CheckpointStore;
  readonly backend: SnapshotStateBackend;
  readonly chain: SegmentChain;
  /** Those that the checkpoint's barrier begins at. */
  readonly sources: readonly Pick<SourceInput, 'id' | 'trigger'>[];
  /** Each says what its channels had for an unaligned checkpoint. */
  readonly gates: readonly Pick<InputGate, 'abort'>[];
  /** Stages that a barrier passes: operators by id. */
  readonly expected: {
    readonly operators: number;
    readonly sinks: number;
  };
  readonly acknowledge: (checkpoint: number, snapshot: TaskSnapshot) => void;
  readonly decline: (checkpoint: number, error: unknown) => void;
  readonly wake: () => void;
}

/** The checkpoint being taken of a task. */
interface Running {
  readonly checkpoint: number;
  readonly mode: CheckpointMode;
  readonly begunMs: number;
  readonly sources: SourcePart[];
  readonly sinks: SinkPart[];
  operators: number;
  /** Of gates that have said it. */
  readonly channels: ChannelState[];
  gates: number;
  syncMs: number;
  alignmentMs: number;
  readonly writer: SegmentWriter;
  readonly sink: BlockCounter;
  readonly blob: Promise<BlobWriter>;
  /** Writes of chunks, one after another. */
  writing: Promise<void>;
  bytesInFlight: number;
  /** Some of what was frozen is not encoded yet. */
  hasFrozen: boolean;
  isEncoded: boolean;
}

/** Counts the blocks on their way to a segment. */
class BlockCounter implements BlockSink {
  blocks = 0;
  private readonly writer: SegmentWriter;

  constructor(writer: SegmentWriter) {
    this.writer = writer;
  }

  layout(layout: StateLayout): number {
    return this.writer.layout(layout);
  }

  add(...block: Parameters<BlockSink['add']>): void {
    this.blocks += 1;
    this.writer.add(...block);
  }

  drop(layout: number, namespace: readonly number[]): void {
    this.blocks += 1;
    this.writer.add(layout, 'drop', namespace);
  }
}

/**
 * Takes the snapshots of one task: gathers what sources, operators and sinks have at a barrier, and
 * writes frozen state to a segment file, some rows at a time between batches. The file is opened
 * ahead of the barrier and written and synced off this thread.
 */
export class TaskSnapshots implements SpareWork {
  private readonly parts: TaskSnapshotsParts;
  private running: Running | undefined;
  /** The newest checkpoint that was begun or given up here. */
  private newest = -1;
  private nextStepMs = -Infinity;
  private readonly buffers = new ChunkBuffers();

  constructor(parts: TaskSnapshotsParts) {
    this.parts = parts;
  }

  /** @param enumerators states of the sources' enumerators as of the splits assigned so far */
  trigger(
    checkpoint: number,
    mode: CheckpointMode,
    enumerators: Readonly<Record<string, unknown>>,
  ): void {
    if (this.runningFor({ checkpoint, mode }) === undefined) return;
    const { subtask, sources } = this.parts;
    for (const source of sources) {
      source.trigger(checkpoint, mode, subtask === 0 ? enumerators[source.id] : undefined);
    }
  }

  /** Barriers of other slots may come ahead of the trigger: the snapshot begins with the first. */
  private runningFor({
    checkpoint,
    mode,
  }: Pick<CheckpointBarrier, 'checkpoint' | 'mode'>): Running | undefined {
    if (this.running?.checkpoint === checkpoint) return this.running;
    if (checkpoint <= this.newest) return undefined;
    if (this.running !== undefined) this.abort(this.running.checkpoint);
    this.newest = checkpoint;
    this.running = this.begin(checkpoint, mode);
    this.running.writing.catch((error: unknown) => this.fail(checkpoint, error));
    return this.running;
  }

  private begin(checkpoint: number, mode: CheckpointMode): Running {
    const { store, attempt, task, env } = this.parts;
    const blob = store.create(segmentName(checkpoint, attempt, task));
    const writer = new SegmentWriter(this.buffers);
    return {
      checkpoint,
      mode,
      begunMs: env.clock.monotonicMs(),
      sources: [],
      sinks: [],
      operators: 0,
      channels: [],
      gates: 0,
      syncMs: 0,
      alignmentMs: 0,
      writer,
      sink: new BlockCounter(writer),
      blob,
      writing: blob.then(() => undefined),
      bytesInFlight: 0,
      hasFrozen: false,
      isEncoded: false,
    };
  }

  abort(checkpoint: number): void {
    const { running } = this;
    this.newest = Math.max(this.newest, checkpoint);
    for (const gate of this.parts.gates) gate.abort(checkpoint);
    // What waited behind a barrier may be taken now, and perhaps nothing more comes.
    this.parts.wake();
    if (running?.checkpoint !== checkpoint) return;
    this.running = undefined;
    // Nothing is lost of a snapshot that no operator has begun.
    if (running.operators > 0) this.parts.backend.abandon();
    running.blob.then((blob) => blob.abort()).catch(() => undefined);
  }

  /** The attempt is at its end: what is being taken is nobody's. */
  async close(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    this.newest = Infinity;
    const blob = await running?.blob.catch(() => undefined);
    await blob?.abort().catch(() => undefined);
  }

  /** The chain begins anew: the next snapshot takes everything. */
  renew(error: unknown): void {
    if (this.running !== undefined) this.fail(this.running.checkpoint, error);
    this.parts.backend.abandon();
  }

  sourceAtBarrier(operator: string, checkpoint: number, snapshot: unknown): void {
    const { running } = this;
    if (running?.checkpoint !== checkpoint) return;
    const { subtask } = this.parts;
    running.sources.push({ operator, subtask, snapshot: jsonCopy(snapshot) });
    this.noteAligned(running);
  }

  operatorAtBarrier(operator: string, barrier: CheckpointBarrier): void {
    const running = this.runningFor(barrier);
    if (running === undefined) return;
    const { backend, env } = this.parts;
    const begunMs = env.clock.monotonicMs();
    backend.freeze(operator);
    running.syncMs += env.clock.monotonicMs() - begunMs;
    running.operators += 1;
    running.hasFrozen = true;
    this.noteAligned(running);
  }

  sinkAtBarrier(operator: string, barrier: CheckpointBarrier, prepared: unknown): void {
    const running = this.runningFor(barrier);
    if (running === undefined) return;
    const { subtask } = this.parts;
    running.sinks.push({ operator, subtask, prepared: jsonCopy(prepared) ?? null });
    this.noteAligned(running);
    this.parts.wake();
  }

  /** What the channels of one gate had. */
  channelsAtBarrier(barrier: CheckpointBarrier, states: readonly ChannelState[]): void {
    const running = this.runningFor(barrier);
    if (running === undefined) return;
    running.channels.push(...states);
    running.gates += 1;
    this.noteAligned(running);
    this.parts.wake();
  }

  /** What waits in channels cannot be stored. */
  channelsFailed(checkpoint: number, error: unknown): void {
    this.fail(checkpoint, error);
  }

  /** Whether a step would do something now. */
  get hasWork(): boolean {
    const { running } = this;
    if (running === undefined || running.isEncoded) return false;
    if (running.bytesInFlight > runtimeLimits.snapshotBytesInFlightMax) return false;
    return running.hasFrozen || this.isComplete(running);
  }

  /** Encodes some of what is frozen; called between batches. */
  step(): void {
    const { running, parts } = this;
    if (running === undefined || !this.hasWork) return;
    const { clock } = parts.env;
    const begun = clock.monotonicMs();
    const until = begun + runtimeLimits.snapshotStepMs;
    try {
      do {
        const progress = parts.backend.step(running.sink, runtimeLimits.snapshotStepRows);
        running.hasFrozen = progress === 'more';
      } while (running.hasFrozen && clock.monotonicMs() < until);
    } catch (error) {
      this.fail(running.checkpoint, error);
      return;
    }
    this.nextStepMs = clock.monotonicMs() + runtimeLimits.snapshotPauseMs;
    if (!running.hasFrozen && this.isComplete(running)) this.finish(running);
    else this.writeChunks(running);
  }

  /** Whether it is time for a step although there are batches. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.nextStepMs && this.hasWork;
  }

  private isComplete({ mode, sources, operators, sinks, gates }: Running): boolean {
    const { expected } = this.parts;
    return (
      sources.length === this.parts.sources.length &&
      operators === expected.operators &&
      sinks.length === expected.sinks &&
      (mode === 'aligned' || gates === this.parts.gates.length)
    );
  }

  private noteAligned(running: Running): void {
    if (!this.isComplete(running)) return;
    running.alignmentMs = this.parts.env.clock.monotonicMs() - running.begunMs;
  }

  private writeChunks(running: Running): void {
    for (const chunk of running.writer.takeChunks()) {
      running.bytesInFlight += chunk.length;
      running.writing = running.writing.then(async () => {
        await (await running.blob).write(chunk);
        running.bytesInFlight -= chunk.length;
        this.buffers.give(chunk);
        this.parts.wake();
      });
      running.writing.catch((error: unknown) => this.fail(running.checkpoint, error));
    }
  }

  private finish(running: Running): void {
    running.isEncoded = true;
    const isEmpty = running.sink.blocks === 0;
    const index = isEmpty ? undefined : running.writer.finish();
    this.writeChunks(running);
    this.complete(running, index).catch((error: unknown) => this.fail(running.checkpoint, error));
  }

  private async complete(running: Running, index: SegmentIndex | undefined): Promise<void> {
    const { chain, acknowledge } = this.parts;
    await running.writing;
    const blob = await running.blob;
    if (this.running !== running) return;
    if (index === undefined) await blob.abort();
    else {
      const { name, bytes, sha256 } = await blob.complete();
      await chain.add({ blob: name, bytes, sha256 }, index);
    }
    const channels = await this.writeChannels(running);
    if (this.running !== running) {
      if (channels !== undefined) await this.parts.store.remove(channels.blob);
      return;
    }
    this.running = undefined;
    const { checkpoint, sources, sinks, syncMs, alignmentMs } = running;
    const part = { ...chain.part(), ...(channels !== undefined && { channels }) };
    acknowledge(checkpoint, { part, sources, sinks, syncMs, alignmentMs });
  }

  private async writeChannels({ checkpoint, channels }: Running): Promise<ChannelsRef | undefined> {
    if (channels.length === 0) return undefined;
    const { store, attempt, task } = this.parts;
    const name = channelsName(checkpoint, attempt, task);
    const ref = await writeBlob(store, name, writeChannelStates(channels));
    return { ...ref, batches: batchesIn(channels) };
  }

  private fail(checkpoint: number, error: unknown): void {
    if (this.running?.checkpoint !== checkpoint) return;
    this.abort(checkpoint);
    this.parts.decline(checkpoint, error);
  }
}
