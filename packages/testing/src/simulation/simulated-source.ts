import type {
  Cancellable,
  Source,
  SourceChunk,
  SourceReader,
  Split,
  SplitEnumerator,
} from '@millrace/core/spi';
import type { SimulatedRecord, SourcePlan, SplitPlan } from './job-plan.js';
import type { SeededRandom } from './seeded-random.js';
import type { WorldProcess } from './world-process.js';

export interface SimulatedSourceParts {
  readonly plan: SourcePlan;
  readonly process: WorldProcess;
  /** Virtual time, ms. */
  readonly nowMs: () => number;
  /** Cuts chunks and chooses among splits. */
  readonly random: SeededRandom;
}

/** A source whose records arrive over virtual time, and can be read again from any position. */
export class SimulatedSource implements Source<SimulatedRecord> {
  readonly type = 'simulated';
  readonly replay = 'exact';
  readonly bounded = true;
  private readonly parts: SimulatedSourceParts;

  constructor(parts: SimulatedSourceParts) {
    this.parts = parts;
  }

  createEnumerator(_context: unknown, snapshot?: unknown): SplitEnumerator {
    const { splits, foundAtOnce } = this.parts.plan;
    let found = typeof snapshot === 'number' ? snapshot : 0;
    return {
      discover: async () => {
        const from = found;
        found = Math.min(splits.length, from + foundAtOnce);
        const ids = splits.slice(from, found).map(({ id }) => ({ id }));
        return { splits: ids, end: found >= splits.length };
      },
      snapshot: () => found,
    };
  }

  createReader(): SourceReader<SimulatedRecord> {
    return new SimulatedReader(this.parts);
  }
}

interface OpenSplit {
  readonly plan: SplitPlan;
  next: number;
}

class SimulatedReader implements SourceReader<SimulatedRecord> {
  private readonly parts: SimulatedSourceParts;
  private readonly reading: OpenSplit[] = [];
  private readonly pausedIds = new Set<string>();
  private isComplete = false;
  private wake: (() => void) | undefined;
  private timer: Cancellable | undefined;

  constructor(parts: SimulatedSourceParts) {
    this.parts = parts;
  }

  addSplits(splits: readonly Split[]): void {
    for (const { id, position } of splits) {
      const plan = this.parts.plan.splits.find((split) => split.id === id);
      if (plan === undefined) throw new RangeError(`no split ${id}`);
      this.reading.push({ plan, next: typeof position === 'number' ? position : 0 });
    }
    this.notify();
  }

  noMoreSplits(): void {
    this.isComplete = true;
    this.notify();
  }

  poll(max: number): SourceChunk<SimulatedRecord> | 'end' | undefined {
    if (this.hasEnded) return 'end';
    const ready = this.reading.filter((split) => this.isReady(split));
    if (ready.length === 0) return undefined;
    const { random, plan } = this.parts;
    const split = random.pick(ready);
    const { records, id } = split.plan;
    const first = split.next;
    const most = Math.min(max, random.whole(1, plan.chunkRecordsMax));
    while (split.next - first < most && this.hasArrived(split)) split.next += 1;
    const splitEnded = split.next >= records.length;
    if (splitEnded) this.reading.splice(this.reading.indexOf(split), 1);
    return {
      split: id,
      values: records,
      start: first,
      count: split.next - first,
      positionOf: String,
      splitEnded,
    };
  }

  available(): Promise<void> {
    if (this.hasEnded || this.reading.some((split) => this.isReady(split)))
      return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
      this.setTimer();
    });
  }

  pauseSplits(ids: readonly string[]): void {
    for (const id of ids) this.pausedIds.add(id);
  }

  resumeSplits(ids: readonly string[]): void {
    for (const id of ids) this.pausedIds.delete(id);
    this.notify();
  }

  /** One that has given all has its end to tell. */
  isSplitEmpty(id: string): boolean {
    const split = this.reading.find(({ plan }) => plan.id === id);
    if (split === undefined || this.hasArrived(split)) return false;
    return split.next < split.plan.records.length;
  }

  snapshot(): readonly Split[] {
    return this.reading.map(({ plan, next }) => ({ id: plan.id, position: next }));
  }

  async close(): Promise<void> {
    this.timer?.cancel();
    this.wake = undefined;
  }

  private get hasEnded(): boolean {
    return this.isComplete && this.reading.length === 0;
  }

  /** An empty split has its end to tell. */
  private isReady(split: OpenSplit): boolean {
    if (this.pausedIds.has(split.plan.id)) return false;
    return this.hasArrived(split) || split.next >= split.plan.records.length;
  }

  private hasArrived({ plan, next }: OpenSplit): boolean {
    const arrivalMs = plan.arrivalsMs[next];
    return arrivalMs !== undefined && arrivalMs <= this.parts.nowMs();
  }

  private setTimer(): void {
    const next = this.reading
      .filter(({ plan }) => !this.pausedIds.has(plan.id))
      .map((split) => split.plan.arrivalsMs[split.next] ?? 0);
    this.timer?.cancel();
    if (next.length === 0) return;
    const delayMs = Math.min(...next) - this.parts.nowMs();
    this.timer = this.parts.process.after('arrival', delayMs, () => this.notify());
  }

  private notify(): void {
    const { wake } = this;
    if (wake === undefined) return;
    if (!this.hasEnded && !this.reading.some((split) => this.isReady(split))) {
      this.setTimer();
      return;
    }
    this.wake = undefined;
    this.timer?.cancel();
    wake();
  }
}
