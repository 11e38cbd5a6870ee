import type { Cancellable, Env, Random, Source, SourceChunk, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { assertWhole, refuseOption } from '../option-checks.js';
import { fixedEnumerator, numberedSplits } from '../reading/fixed-enumerator.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';

import { SeededRandom } from './seeded-random.js';

/** What to generate. */
export interface GeneratorOptions<T> {
  /** A whole number of at least 0; another seed gives other records. */
  readonly seed: number;
  /** Records in all; without it the source never ends. */
  readonly count?: number | undefined;
  /** Records a second in all splits together; without it as fast as the job takes them. */
  readonly ratePerSecond?: number | undefined;
  /** Splits that the indexes are dealt out to in turn. Default 1. */
  readonly splits?: number | undefined;
  /**
   * Makes a record from its index (from 0 on) and random numbers that belong to that index. It
   * must depend on these alone; `random` is only valid during the call.
   */
  create(index: number, random: Random): T;
}

/**
 * A source of generated records, for load tests and examples. Each record depends on the seed and
 * its index only, so it replays exactly from any position.
 *
 * With a rate, record `n` after the start (or restart) is due `n / ratePerSecond` seconds after
 * it; a job that falls behind gets what it missed at once. What `create` throws fails the job.
 * Throws ERR_INVALID_OPTION for numbers that cannot be used.
 *
 * @example
 * generator({ seed: 7, ratePerSecond: 1_000, create: (index, random) => ({
 *   id: index, amount: random.next() * 100,
 * }) })
 */
export function generator<T>(options: GeneratorOptions<T>): Source<T> {
  const { seed, count = Infinity, ratePerSecond, splits = 1 } = options;
  assertWhole('seed', seed, 0);
  if (count !== Infinity) assertWhole('count', count, 0);
  assertWhole('splits', splits, 1);
  if (splits > connectorLimits.splitsMax) {
    refuseOption('splits', `at most ${connectorLimits.splitsMax} splits are possible`);
  }
  if (ratePerSecond !== undefined && !(ratePerSecond > 0 && ratePerSecond < Infinity)) {
    refuseOption('ratePerSecond', `ratePerSecond is ${ratePerSecond}; it must be above 0`);
  }
  return {
    type: 'generator',
    replay: 'exact',
    bounded: count !== Infinity,
    settings: {
      seed,
      splits,
      ...(count === Infinity ? {} : { count }),
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    },
    createEnumerator: (_context, snapshot) =>
      fixedEnumerator(async () => numberedSplits(splits), snapshot),
    createReader: ({ env }) => {
      const open = (split: Split, wake: () => void): SplitCursor<T> => {
        const pace = ratePerSecond === undefined ? undefined : new Pace(ratePerSecond, env, wake);
        return new GeneratorCursor(options, split, { count, step: splits, pace });
      };
      // All at once: they cost nothing, and those without an end would keep others from opening.
      return new SplitQueueReader(open, { openSplitsMax: connectorLimits.splitsMax });
    },
  };
}

interface GeneratorRange {
  readonly count: number;
  /** From one index of the split to the next. */
  readonly step: number;
  readonly pace: Pace | undefined;
}

/** Position: the index of the next record. */
class GeneratorCursor<T> implements SplitCursor<T> {
  private readonly options: GeneratorOptions<T>;
  private readonly split: string;
  private readonly range: GeneratorRange;
  private readonly random: SeededRandom;
  /** The index at which this cursor began. */
  private readonly first: number;
  private next: number;

  constructor(options: GeneratorOptions<T>, split: Split, range: GeneratorRange) {
    this.options = options;
    this.split = split.id;
    this.range = range;
    this.random = new SeededRandom(options.seed);
    this.next = typeof split.position === 'number' ? split.position : Number(split.id);
    this.first = this.next;
  }

  get isReady(): boolean {
    const { pace, count } = this.range;
    return pace === undefined || this.next >= count || pace.isDue(this.next - this.first);
  }

  /** What is not due is not there yet. */
  get isEmpty(): boolean {
    return this.next < this.range.count && this.next >= this.dueEnd();
  }

  poll(max: number): SourceChunk<T> | undefined {
    const { random, next: first } = this;
    const { step, count } = this.range;
    const end = Math.min(count, first + max * step, this.dueEnd());
    const values: T[] = [];
    let index = first;
    for (; index < end; index += step) {
      random.startAt(index);
      values.push(this.options.create(index, random));
    }
    this.next = index;
    const splitEnded = index >= count;
    if (values.length === 0 && !splitEnded) return undefined;
    const positionOf = (at: number) => String(first + at * step);
    return { split: this.split, values, start: 0, count: values.length, positionOf, splitEnded };
  }

  position(): number {
    return this.next;
  }

  async close(): Promise<void> {
    this.range.pace?.stop();
  }

  /** The first index that is not due yet. */
  private dueEnd(): number {
    const { pace } = this.range;
    return pace === undefined ? Infinity : this.first + pace.dueCount();
  }
}

/** Says how many records are due, and wakes the reader when the next one is. */
class Pace {
  private readonly ratePerSecond: number;
  private readonly env: Env;
  private readonly wake: () => void;
  private readonly startMs: number;
  private timer: Cancellable | undefined;

  constructor(ratePerSecond: number, env: Env, wake: () => void) {
    this.ratePerSecond = ratePerSecond;
    this.env = env;
    this.wake = wake;
    this.startMs = env.clock.monotonicMs();
  }

  dueCount(): number {
    const elapsedMs = this.env.clock.monotonicMs() - this.startMs;
    return Math.floor((elapsedMs * this.ratePerSecond) / 1_000) + 1;
  }

  /** Whether the record with this number (from 0 on) is due; if not, wakes when it is. */
  isDue(number: number): boolean {
    if (number < this.dueCount()) return true;
    this.timer ??= this.env.scheduler.after(this.delayMs(number), () => {
      this.timer = undefined;
      this.wake();
    });
    return false;
  }

  stop(): void {
    this.timer?.cancel();
  }

  private delayMs(number: number): number {
    const dueMs = this.startMs + (number * 1_000) / this.ratePerSecond;
    return Math.max(1, Math.ceil(dueMs - this.env.clock.monotonicMs()));
  }
}
