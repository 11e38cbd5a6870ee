import type { Operator, OperatorFactory } from '@millrace/core/spi';
import {
  contextOf,
  Driven,
  type LocalLimits,
  type Parts,
  type Phases,
  PlainState,
  type Rec,
  recordsBatch,
} from './two-phase-rig.js';

export interface RunOptions {
  readonly parts: Parts;
  readonly locals: number;
  readonly limits: LocalLimits;
  readonly codegen: 'on' | 'off';
  /** Rows that outputs take at a time. */
  readonly room: number;
}

/** What a run gave: results, and records that were late. */
export interface Outcome {
  readonly results: readonly Readonly<Record<string, unknown>>[];
  readonly late: number;
}

const startMs = -20;
const plainRows = { keys: false, columns: [] } as const;

/**
 * Local phases and the final one, with a queue between each of them and it; or the undivided
 * operator, with the records themselves in the queues.
 */
export class TwoPhaseRun {
  readonly results: Record<string, unknown>[] = [];
  private readonly counters = new Map<string, number>();
  private readonly state = new PlainState();
  private readonly options: RunOptions;
  private readonly waiting: (() => void)[][];
  private readonly watermarks: number[];
  private readonly received: number[];
  private locals: readonly (Driven | undefined)[] = [];
  private final: Driven;

  private constructor(factory: OperatorFactory, options: RunOptions) {
    this.options = options;
    const perLocal = <T>(create: () => T): T[] => Array.from({ length: options.locals }, create);
    this.waiting = perLocal(() => []);
    this.watermarks = perLocal(() => startMs);
    this.received = perLocal(() => -Infinity);
    this.final = this.operatorsOf(factory);
  }

  /** @param factory without phases: its undivided operator runs */
  static async open(factory: OperatorFactory, options: RunOptions): Promise<TwoPhaseRun> {
    const run = new TwoPhaseRun(factory, options);
    await run.final.operator.open?.();
    return run;
  }

  /** All subtasks have had a barrier: operators of another factory go on from the state. */
  async goOnWith(factory: OperatorFactory): Promise<void> {
    for (const at of this.waiting.keys()) {
      this.barrier(at);
      this.deliver(at);
    }
    this.final = this.operatorsOf(factory);
    await this.final.operator.open?.();
    // Sources remember how far their time was.
    for (const [at, local] of this.locals.entries()) local?.watermark(this.watermarks[at]!);
  }

  /** How far the watermark of a local subtask is. */
  watermarkOf(at: number): number {
    return this.watermarks[at]!;
  }

  take(at: number, records: readonly Rec[]): void {
    const batch = recordsBatch(records, this.options.parts);
    const local = this.locals[at];
    if (local === undefined) this.waiting[at]!.push(() => this.final.process(batch));
    else local.process(batch);
  }

  advance(at: number, timeMs: number): void {
    this.watermarks[at] = timeMs;
    this.locals[at]?.watermark(timeMs);
    this.waiting[at]!.push(() => {
      const before = Math.min(...this.received);
      this.received[at] = timeMs;
      const after = Math.min(...this.received);
      if (after > before) this.final.watermark(after);
    });
  }

  barrier(at: number): void {
    this.locals[at]?.barrier();
    this.waiting[at]!.push(() => this.state.freeze());
  }

  end(): void {
    for (const at of this.waiting.keys()) {
      this.advance(at, Infinity);
      this.locals[at]?.end();
    }
  }

  /** Delivers what a local subtask has given out; all, or the first piece. */
  deliver(at: number, pieces: 'all' | 'one' = 'all'): void {
    const queue = this.waiting[at]!;
    for (const act of queue.splice(0, pieces === 'all' ? queue.length : 1)) act();
  }

  outcome(): Outcome {
    return { results: this.results, late: this.counters.get('numLateRecordsDropped') ?? 0 };
  }

  private operatorsOf(factory: OperatorFactory): Driven {
    const { parts, limits, codegen, room } = this.options;
    const phases = factory.phases as Phases | undefined;
    const columns = Object.values(parts).flatMap((part) => part.inputs.map(({ type }) => type));
    const run = { codegen, state: this.state, counters: this.counters, columns };
    this.locals = this.waiting.map((queue) => {
      if (phases === undefined) return undefined;
      const operator = phases.createLocal(contextOf({ ...run, state: new PlainState() }), limits);
      return new Driven(operator, { keys: true, columns: phases.columns }, room, (batch) => {
        queue.push(() => this.final.process(batch));
      });
    });
    const context = contextOf(run);
    const operator: Operator = phases?.createFinal(context) ?? factory.create(context);
    return new Driven(operator, plainRows, room, (batch) => {
      this.results.push(...(batch.values.slice(0, batch.count) as never[]));
    });
  }
}
