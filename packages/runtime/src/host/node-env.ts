import type { Env, Logger, LogLevel } from '@millrace/core/spi';
import { nodeStorage } from './node-storage.js';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Writes JSON lines to standard error, from a level on. */
export function stderrLogger(from: LogLevel = 'warn'): Logger {
  return {
    log(level, message, fields = {}) {
      if (levels.indexOf(level) < levels.indexOf(from)) return;
      process.stderr.write(
        `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`,
      );
    },
  };
}

/** The real world: this process' clocks, timers, randomness and files. */
export function nodeEnv(log: Logger = stderrLogger()): Env {
  return {
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    random: { next: () => Math.random() },
    scheduler: {
      yield: () => new Promise((resolve) => setImmediate(resolve)),
      after(delayMs, action) {
        // Node takes no longer delay; whoever waits looks again when it fires.
        const timer = setTimeout(action, Math.min(Math.max(delayMs, 0), 2 ** 31 - 1));
        return { cancel: () => clearTimeout(timer) };
      },
    },
    log,
    storage: nodeStorage,
  };
}

/** Whether this process was started for production: no record checks unless asked for. */
export const isProduction = (): boolean => process.env.NODE_ENV === 'production';
