import type { Cancellable, Env, Random } from '@millrace/core/spi';
import { SimulatedDisk } from '../simulated-disk.js';
import { type Pending, TimeQueue } from './pick-queue.js';
import { SeededRandom } from './seeded-random.js';
import { Trace } from './trace.js';
import { DiskLatency } from './world-disk.js';
import { WorldProcess } from './world-process.js';

export interface SimulatedWorldOptions {
  readonly seed: number;
  /** Wall clock at the start, epoch ms. Default 2020-01-01. */
  readonly startMs?: number | undefined;
  /** Virtual time that one reading of a monotonic clock takes, ms: work takes time. Default 0.005. */
  readonly clockReadMs?: number | undefined;
  /** Share of picks that take what has been ready longest instead of any. Default 0.3. */
  readonly inOrderShare?: number | undefined;
}

/** Why a run came to an end: `idle` when nothing was left that could ever happen. */
export type RunEnd = 'done' | 'idle' | 'picks' | 'time';

export interface RunLimits {
  /** Virtual time, ms. */
  readonly untilMs: number;
  readonly picksMax: number;
}

/** Immediates armed at a time; microtasks run to their end between them, and one loop serves all. */
const picksPerLoop = 64;

/**
 * A world of processes and disks in which nothing happens but what it picks, one thing at a time,
 * in an order that its seed fixes. After each pick the promise jobs run to their end; when nothing
 * is ready, time jumps to what is next. The idea is FoundationDB's simulator.
 *
 * @example
 * const world = new SimulatedWorld({ seed: 1 });
 * const process = world.start('p1');
 * run(job, { env: process.env });
 * await world.run(() => isDone, { untilMs: 60_000, picksMax: 1e6 });
 */
export class SimulatedWorld {
  readonly random: SeededRandom;
  readonly trace = new Trace();
  readonly disk = new SimulatedDisk();
  readonly diskLatency: DiskLatency;
  private readonly choice: SeededRandom;
  private readonly startMs: number;
  private readonly clockReadMs: number;
  private readonly inOrderShare: number;
  private readonly queue = new TimeQueue();
  private readonly choices: Pending[] = [];
  private readonly processes = new Map<string, WorldProcess>();
  private readonly own: WorldProcess;
  private elapsedMs = 0;
  private sequence = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(options: SimulatedWorldOptions) {
    this.random = new SeededRandom(options.seed);
    this.choice = this.random.fork('choice');
    this.startMs = options.startMs ?? Date.UTC(2020, 0, 1);
    this.clockReadMs = options.clockReadMs ?? 0.005;
    this.inOrderShare = options.inOrderShare ?? 0.3;
    this.diskLatency = new DiskLatency(this, this.random.fork('disk'));
    this.disk.onStep((step) => this.diskLatency.step(step));
    this.own = new WorldProcess('world', this, this.processOptions('world', 0));
  }

  /** What belongs to no process of it, and is never killed, sees: a transport's hub, say. */
  get env(): Env {
    return this.own.env;
  }

  /** Virtual time from the start, ms. */
  get nowMs(): number {
    return this.elapsedMs;
  }

  /**
   * Starts a process.
   *
   * @param options.skewMs how far its wall clock is off
   */
  start(name: string, options: { readonly skewMs?: number | undefined } = {}): WorldProcess {
    if (this.processes.has(name)) throw new RangeError(`there is a process ${name} already`);
    const process = new WorldProcess(name, this, this.processOptions(name, options.skewMs ?? 0));
    this.processes.set(name, process);
    return process;
  }

  process(name: string): WorldProcess | undefined {
    return this.processes.get(name);
  }

  /** Kills a process with all that it has under way; what it wrote stays. */
  kill(process: WorldProcess): void {
    process.kill();
    this.disk.crashProcess(process.name);
  }

  /** Kills all processes; what they had not synced is lost, or kept in part. */
  powerCut(random: Random): void {
    for (const process of this.processes.values()) process.kill();
    this.note('power cut');
    this.disk.powerCut(random);
  }

  /** Something of the world itself: a fault, say. */
  after(label: string, delayMs: number, action: () => void): Cancellable {
    return this.own.after(label, delayMs, action);
  }

  note(label: string): void {
    this.trace.note(label, this.elapsedMs);
  }

  /** Ends the run; only the first failure counts. */
  fail(error: unknown): void {
    this.failure ??= { error };
  }

  /** For processes: something that will be picked when it is due. */
  schedule(process: WorldProcess, what: string, delayMs: number, act: () => void): Cancellable {
    if (process.life === 'killed') return { cancel: () => undefined };
    this.sequence += 1;
    const pending: Pending = {
      process,
      label: `${process.name} ${what}`,
      atMs: this.elapsedMs + Math.max(0, delayMs),
      sequence: this.sequence,
      action: act,
      state: 'waiting',
    };
    process.pending += 1;
    if (delayMs <= 0) this.choices.push(pending);
    else this.queue.push(pending);
    return { cancel: () => this.cancel(pending) };
  }

  /** For processes: these may be picked now. */
  ready(pending: readonly Pending[]): void {
    this.choices.push(...pending);
  }

  /** For processes: reading a clock takes time, so that turns come to an end. */
  readClock(): number {
    this.elapsedMs += this.clockReadMs;
    return this.elapsedMs;
  }

  /** For processes: a function of theirs is at work, and nothing else happens. */
  spend(ms: number): void {
    this.elapsedMs += ms;
  }

  /**
   * Lets things happen until `isDone` says so between two picks, or a limit is reached.
   *
   * Rejects with what an action threw, `fail` was given, or a promise was rejected with unheard.
   */
  async run(isDone: () => boolean, limits: RunLimits): Promise<RunEnd> {
    // Node would end a process in which nobody hears of a rejection.
    const onUnheard = (reason: unknown): void => this.fail(reason);
    process.on('unhandledRejection', onUnheard);
    try {
      return await this.pickUntil(isDone, limits);
    } finally {
      process.off('unhandledRejection', onUnheard);
    }
  }

  private pickUntil(isDone: () => boolean, limits: RunLimits): Promise<RunEnd> {
    return new Promise((resolve, reject) => {
      let armed = 0;
      let hasEnded = false;
      const picksMax = this.trace.picks + limits.picksMax;
      const arm = (): void => {
        armed = picksPerLoop;
        for (let i = 0; i < picksPerLoop; i += 1) setImmediate(turn);
      };
      const turn = (): void => {
        armed -= 1;
        if (hasEnded) return;
        try {
          const end = this.endOf(isDone, limits.untilMs, picksMax) ?? this.pickNext();
          if (end !== undefined) {
            hasEnded = true;
            resolve(end);
          } else if (armed === 0) arm();
        } catch (error) {
          hasEnded = true;
          reject(error);
        }
      };
      arm();
    });
  }

  /** What a process waits for, for messages. */
  waitingOf(process: WorldProcess): readonly string[] {
    const all: string[] = process.held.map(({ label }) => label);
    const add = (pending: Pending): void => {
      if (pending.process === process && pending.state === 'waiting') all.push(pending.label);
    };
    this.choices.forEach(add);
    for (let next = this.queue.pop(); next !== undefined; next = this.queue.pop()) {
      add(next);
      this.choices.push(next);
    }
    return all;
  }

  private endOf(isDone: () => boolean, untilMs: number, picksMax: number): RunEnd | undefined {
    if (this.failure !== undefined) throw this.failure.error;
    if (isDone()) return 'done';
    if (this.trace.picks >= picksMax) return 'picks';
    return this.elapsedMs > untilMs ? 'time' : undefined;
  }

  private pickNext(): 'idle' | undefined {
    for (;;) {
      this.takeDue();
      if (this.choices.length === 0) {
        const { nextMs } = this.queue;
        if (nextMs === Number.POSITIVE_INFINITY) return 'idle';
        this.elapsedMs = Math.max(this.elapsedMs, nextMs);
        continue;
      }
      const pending = this.choose();
      const { process } = pending;
      if (pending.state === 'gone' || process.life === 'killed') continue;
      if (process.life === 'paused') {
        process.held.push(pending);
        continue;
      }
      pending.state = 'gone';
      process.pending -= 1;
      // Whoever only yields, again and again, has time pass, too.
      this.elapsedMs += this.clockReadMs;
      this.trace.pick(pending.label, this.elapsedMs);
      pending.action();
      return undefined;
    }
  }

  private takeDue(): void {
    while (this.queue.nextMs <= this.elapsedMs) this.choices.push(this.queue.pop()!);
  }

  private choose(): Pending {
    const { choices } = this;
    if (choices.length === 1) return choices.pop()!;
    if (this.choice.next() < this.inOrderShare) return choices.shift()!;
    const at = Math.floor(this.choice.next() * choices.length);
    const chosen = choices[at]!;
    choices[at] = choices[choices.length - 1]!;
    choices.pop();
    return chosen;
  }

  private cancel(pending: Pending): void {
    if (pending.state === 'gone') return;
    pending.state = 'gone';
    if (pending.process.life !== 'killed') pending.process.pending -= 1;
  }

  private processOptions(name: string, skewMs: number) {
    return {
      wallClockMs: this.startMs + skewMs,
      random: this.random.fork(`process ${name}`),
      storage: this.disk.process(name),
    };
  }
}
