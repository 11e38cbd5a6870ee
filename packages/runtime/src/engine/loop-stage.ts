import { coreLimits } from '@millrace/core/internal';
import {
  type CheckpointBarrier,
  type ControlElement,
  type RecordBatch,
  RecordFailure,
} from '@millrace/core/spi';
import type { Loop } from '../codegen/loop.js';
import type { PooledBatch } from './batch-pool.js';
import { type ChannelReceiver, isBatch } from './channel.js';
import type { ChunkPart } from './chunk-part.js';
import { closeAll } from './close-all.js';
import type { InputGate } from './input-gate.js';
import type { LoopMembers } from './loop-members.js';
import type { OutputPort } from './output-port.js';
import { positionOf } from './record-places.js';
import type { SourceInput } from './source-input.js';
import type { Stage } from './stage.js';

/** Where a stage's records come from. */
export type StageInput =
  | { readonly kind: 'channels'; readonly gate: InputGate }
  | { readonly kind: 'source'; readonly source: SourceInput };

export interface LoopStageParts {
  readonly id: string;
  readonly input: StageInput;
  readonly loop: Loop;
  readonly members: LoopMembers;
  /** Undefined: nobody consumes the result. */
  readonly main: OutputPort | undefined;
  /** Ports of dead letters. */
  readonly sides: readonly OutputPort[];
  readonly discarded: RecordBatch;
  readonly setWatermark: (timeMs: number) => void;
}

/** Runs a generated loop over batches, or over a source's chunks. */
export class LoopStage implements Stage {
  readonly id: string;
  readonly readsSource: boolean;
  isFinished = false;
  private from = 0;
  /** The channel whose first batch is being taken. */
  private current: ChannelReceiver | undefined;
  private readonly parts: LoopStageParts;
  private readonly ports: readonly OutputPort[];

  constructor(parts: LoopStageParts) {
    this.id = parts.id;
    this.readsSource = parts.input.kind === 'source';
    this.parts = parts;
    this.ports = parts.main === undefined ? parts.sides : [parts.main, ...parts.sides];
  }

  isReady(): boolean {
    return this.hasWork() && (this.hasCredit() || this.hurries());
  }

  isBlocked(): boolean {
    return this.hasWork() && !this.hasCredit() && !this.hurries();
  }

  isWaiting(): boolean {
    return false;
  }

  step(): void {
    const { input } = this.parts;
    if (input.kind === 'source') {
      const next = input.source.next();
      if (next === undefined) return;
      if ('chunk' in next) this.takeChunk(input.source, next);
      else this.onControl(next);
      return;
    }
    const { gate } = input;
    if (this.current === undefined && gate.overtaking !== undefined) {
      this.onBarrier(gate, gate.overtaking);
      return;
    }
    const channel = this.current ?? gate.nextChannel()!;
    const element = channel.peek()!;
    if (isBatch(element)) {
      if (this.current === undefined) {
        this.current = channel;
        gate.turn();
        gate.onBatch(channel);
      }
      this.takeBatch(channel, element);
      return;
    }
    gate.turn();
    channel.shift();
    const event = gate.onControl(channel, element);
    if (event !== undefined) this.onControl(event);
  }

  flush(): boolean {
    let flushed = false;
    for (const port of this.ports) if (port.flush()) flushed = true;
    return flushed;
  }

  linger(nowMs: number): void {
    for (const port of this.ports) port.linger(nowMs);
  }

  async open(): Promise<void> {
    const { members, input, setWatermark } = this.parts;
    await members.open();
    if (input.kind === 'source') await input.source.open();
    // What a checkpoint had in channels is not to be looked at as if nothing had been there before.
    else setWatermark(input.gate.watermark);
  }

  async close(): Promise<void> {
    const { members, input } = this.parts;
    const closeSource = async (): Promise<void> =>
      input.kind === 'source' ? input.source.close() : undefined;
    await closeAll([closeSource, () => members.close()]);
  }

  wakeAtMs(): number {
    const { input } = this.parts;
    return input.kind === 'source' ? input.source.wakeAtMs() : Infinity;
  }

  private hasWork(): boolean {
    const { input } = this.parts;
    if (input.kind === 'source') return input.source.hasWork;
    return !input.gate.isEmpty || input.gate.overtaking !== undefined || this.current !== undefined;
  }

  /** A barrier does not wait for credit: the chunk or batch that was begun is done first. */
  private hurries(): boolean {
    const { input } = this.parts;
    return input.kind === 'source' ? input.source.hurries : input.gate.overtaking !== undefined;
  }

  /** What the channels have is noted at the moment at which the barrier goes on. */
  private onBarrier(gate: InputGate, barrier: CheckpointBarrier): void {
    gate.capture(barrier);
    this.onControl(barrier);
  }

  private hasCredit(): boolean {
    for (const port of this.ports) if (!port.hasCredit) return false;
    return true;
  }

  private onControl(element: ControlElement): void {
    if (element.kind === 'watermark') this.parts.setWatermark(element.time);
    for (const port of this.ports) port.sendControl(element);
    if (element.kind === 'close') this.isFinished = true;
  }

  private takeChunk(source: SourceInput, part: ChunkPart): void {
    const { chunk, places, from, to, split, latestMs } = part;
    const { loop, members } = this.parts;
    const out = this.openFor(to - from);
    if (out === undefined) return;
    const end = Math.min(to, from + out.capacity - out.count);
    let next: number;
    let passed: number;
    try {
      next = loop(chunk, from, end, out, members.passed, split, latestMs);
      passed = next;
      members.count(next - from);
    } catch (error) {
      if (!(error instanceof RecordFailure)) throw error;
      passed = error.index;
      next = members.afterFailure(error, chunk, from, positionOf(places, passed));
    }
    this.parts.main?.open.trace(places, from, passed, 'atMostOne');
    source.taken(next, members.retriedAt);
    if (this.parts.main?.isFull === true) this.parts.main.handOn();
  }

  private takeBatch(channel: ChannelReceiver, batch: PooledBatch): void {
    const { loop, members } = this.parts;
    const { from } = this;
    const out = this.openFor(batch.count - from);
    if (out === undefined) return;
    const to = Math.min(batch.count, from + out.capacity - out.count);
    let passed: number;
    try {
      this.from = loop(batch, from, to, out, members.passed, undefined, 0);
      passed = this.from;
      members.count(passed - from);
    } catch (error) {
      if (!(error instanceof RecordFailure)) throw error;
      passed = error.index;
      this.from = members.afterFailure(error, batch, from, positionOf(batch.places, passed));
    }
    this.parts.main?.open.trace(batch.places, from, passed, 'atMostOne');
    if (this.parts.main?.isFull === true) this.parts.main.handOn();
    if (this.from < batch.count) return;
    this.from = 0;
    this.current = undefined;
    channel.shift();
    batch.release();
  }

  /** The open batch, with room for `records` if there is credit for a new one. */
  private openFor(records: number): RecordBatch | undefined {
    const { main, discarded } = this.parts;
    if (main === undefined) {
      discarded.count = 0;
      return discarded;
    }
    if (
      main.open.count + records > coreLimits.batchRecordsMax &&
      main.handOn() &&
      !main.hasCredit &&
      !this.hurries()
    ) {
      return undefined;
    }
    return main.open;
  }
}
