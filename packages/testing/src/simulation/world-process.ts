import type { Cancellable, Env, LogLevel, Random, Storage } from '@millrace/core/spi';
import type { Pending } from './pick-queue.js';
import type { SimulatedWorld } from './simulated-world.js';

export interface WorldProcessOptions {
  /** What its clock says at the world's beginning, epoch ms. */
  readonly wallClockMs: number;
  readonly random: Random;
  readonly storage: Storage;
}

/** How a process stands: one that is paused misses nothing, one that was killed is gone. */
export type ProcessLife = 'running' | 'paused' | 'killed';

/**
 * A process of the simulated world. All that it waits for comes through `env` or `wait`, so that
 * once it is killed nothing of it runs on: whoever awaited something awaits it for ever.
 */
export class WorldProcess {
  readonly name: string;
  readonly env: Env;
  /** Things it waits for. */
  pending = 0;
  /** Those whose time came while it was paused. */
  readonly held: Pending[] = [];
  /** How far its wall clock is off, ms; may be changed, as by an operator's hand. */
  wallClockMs: number;
  private current: ProcessLife = 'running';
  private readonly world: SimulatedWorld;

  constructor(name: string, world: SimulatedWorld, options: WorldProcessOptions) {
    this.name = name;
    this.world = world;
    this.wallClockMs = options.wallClockMs;
    this.env = {
      clock: {
        nowMs: () => Math.floor(this.wallClockMs + world.nowMs),
        monotonicMs: () => world.readClock(),
      },
      random: options.random,
      scheduler: {
        yield: () => this.wait('yield', 0),
        after: (delayMs, action) => this.after('timer', delayMs, action),
      },
      log: { log: (level, message, fields) => this.log(level, message, fields) },
      storage: options.storage,
    };
  }

  get life(): ProcessLife {
    return this.current;
  }

  /** Resolves when the world picks it, `delayMs` from now at the earliest. */
  wait(label: string, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(label, delayMs, resolve);
    });
  }

  after(label: string, delayMs: number, action: () => void): Cancellable {
    return this.world.schedule(this, label, delayMs, action);
  }

  kill(): void {
    if (this.current === 'killed') return;
    this.current = 'killed';
    this.pending = 0;
    this.held.length = 0;
    this.world.note(`${this.name}: killed`);
  }

  /** It stands still while the world's time goes on. */
  pause(): void {
    if (this.current !== 'running') return;
    this.current = 'paused';
    this.world.note(`${this.name}: paused`);
  }

  resume(): void {
    if (this.current !== 'paused') return;
    this.current = 'running';
    this.world.note(`${this.name}: goes on`);
    this.world.ready(this.held.splice(0));
  }

  private log(
    level: LogLevel,
    message: string,
    fields: Readonly<Record<string, unknown>> | undefined,
  ): void {
    if (level === 'debug' || this.current === 'killed') return;
    const why = fields?.error === undefined ? '' : `: ${String(fields.error)}`;
    this.world.note(`${this.name} ${level} ${message}${why}`);
  }
}
