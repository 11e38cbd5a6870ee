import type { Cancellable, Env, LogLevel, Storage } from '@millrace/core/spi';
import { SimulatedDisk } from './simulated-disk.js';

/** A line that was logged. */
export interface LoggedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An environment whose time stands still until the test moves it. */
export interface VirtualEnv extends Env {
  readonly logged: readonly LoggedLine[];
  /** Moves both clocks on and runs the timers that are due, in order of time. */
  advance(ms: number): void;
  readonly nowMs: number;
}

interface VirtualTimer {
  readonly atMs: number;
  readonly sequence: number;
  readonly action: () => void;
}

/** Log lines kept; a test that logs more has gone wrong. */
const loggedLinesMax = 10_000;

/**
 * Virtual time, a seeded random source, a log that is kept and a disk in memory.
 *
 * @param options.startMs the wall clock at the start, epoch ms. Default 2020-01-01
 * @param options.seed of the random numbers. Default 1
 * @param options.storage by default a new {@link SimulatedDisk}
 */
export function virtualEnv(
  options: {
    readonly startMs?: number | undefined;
    readonly seed?: number | undefined;
    readonly storage?: Storage | undefined;
  } = {},
): VirtualEnv {
  const startMs = options.startMs ?? Date.UTC(2020, 0, 1);
  let elapsed = 0;
  let sequence = 0;
  let state = options.seed ?? 1;
  let timers: VirtualTimer[] = [];
  const logged: LoggedLine[] = [];

  const after = (delayMs: number, action: () => void): Cancellable => {
    sequence += 1;
    const timer = { atMs: elapsed + Math.max(0, delayMs), sequence, action };
    timers.push(timer);
    return {
      cancel: () => {
        timers = timers.filter((other) => other !== timer);
      },
    };
  };

  return {
    clock: { nowMs: () => startMs + Math.floor(elapsed), monotonicMs: () => elapsed },
    random: {
      next: () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      },
    },
    scheduler: { yield: () => new Promise((resolve) => setImmediate(resolve)), after },
    log: {
      log: (level, message, fields = {}) => {
        if (logged.length < loggedLinesMax) logged.push({ level, message, fields });
      },
    },
    storage: options.storage ?? new SimulatedDisk(),
    logged,
    advance(ms) {
      const until = elapsed + ms;
      for (;;) {
        const due = timers
          .filter(({ atMs }) => atMs <= until)
          .sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        elapsed = Math.max(elapsed, due.atMs);
        due.action();
      }
      elapsed = until;
    },
    get nowMs() {
      return startMs + Math.floor(elapsed);
    },
  };
}
