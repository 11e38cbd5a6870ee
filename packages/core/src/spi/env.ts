import type { Storage } from './storage.js';
import type { Logger } from './telemetry.js';

/** Tells time. */
export interface Clock {
  /** Wall clock, epoch milliseconds; made monotone by the engine. */
  nowMs(): number;
  /** Monotonic clock for durations, milliseconds with fractions, any origin. */
  monotonicMs(): number;
}

export interface Cancellable {
  cancel(): void;
}

/** Lets others run, and waits. */
export interface Scheduler {
  /** Resolves on a later macrotask, so that I/O and timers have had their turn. */
  yield(): Promise<void>;
  /** Runs `action` once after `delayMs`; never earlier, possibly later. */
  after(delayMs: number, action: () => void): Cancellable;
}

/** Uniform random numbers in [0, 1). */
export interface Random {
  next(): number;
}

/**
 * Everything outside the engine: nothing else in it may tell time, draw randomness, wait or
 * do I/O. Transport joins with the part that uses it.
 */
export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  readonly storage: Storage;
}
