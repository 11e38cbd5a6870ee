import type { Cancellable, Env } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import { closeAll } from './close-all.js';
import { Pulse } from './pulse.js';
import type { Stage } from './stage.js';
import { StageOrder, type StepOrder } from './stage-order.js';

/** A latch that a waiting task is woken by. */
class WakeUp {
  private isSet = false;
  private resolve: (() => void) | undefined;

  set(): void {
    this.isSet = true;
    this.resolve?.();
    this.resolve = undefined;
  }

  async wait(): Promise<void> {
    if (!this.isSet) {
      await new Promise<void>((resolve) => {
        this.resolve = resolve;
      });
    }
    this.isSet = false;
  }
}

/**
 * How long one stage was at work, or waited for what it had called outside, and how long it had work
 * without credit, ms.
 */
export interface StageTimes {
  accumulateBusyTimeMs: number;
  accumulateBackPressuredTimeMs: number;
}

/** What a stage waits for while its task rests. */
const Wait = { none: 0, forCredit: 1, outside: 2 } as const;

/** Work that is done a little at a time between the steps of stages. */
export interface SpareWork {
  readonly hasWork: boolean;
  /** Whether a step is due although stages are ready. */
  isDue(nowMs: number): boolean;
  step(): void;
}

/** What a task does beside its stages. */
export interface TaskExtras {
  readonly snapshots?: SpareWork | undefined;
  /** Called once a turn: looks at how much memory the state takes. What it throws ends the task. */
  readonly afterTurn?: (() => void) | undefined;
  readonly pulse?: Pulse | undefined;
  /** Default `downstream`. */
  readonly order?: StepOrder | undefined;
}

/** Runs the stages of one slot, cooperatively, and yields to the process after each turn. */
export class Task {
  private readonly stages: readonly Stage[];
  private readonly times: readonly StageTimes[];
  private readonly env: Env;
  private readonly wakeUp = new WakeUp();
  private failure: unknown;
  private isCancelled = false;
  private timer: Cancellable | undefined;
  private timerAtMs = Infinity;
  private yieldedMs = -Infinity;
  private idleListeners: (() => void)[] = [];
  /** Up to when the times of a task that rests are counted; undefined while it works. */
  private restedUntilMs: number | undefined;
  /** What each stage waited for when the task came to rest. */
  private readonly waits: Uint8Array;
  private readonly spare: SpareWork | undefined;
  private readonly afterTurn: TaskExtras['afterTurn'];
  private readonly pulse: Pulse;
  private readonly order: StageOrder;
  /** Time between two flushes of one stage, ms. */
  private readonly flushPauseMs: number;
  /** When each stage handed on what was partly filled, monotonic ms. */
  private readonly flushedMs: Float64Array;
  /** When a stage may do so again that may have something, monotonic ms. */
  private flushAtMs = Infinity;

  constructor(
    stages: readonly Stage[],
    times: readonly StageTimes[],
    env: Env,
    { snapshots, afterTurn, pulse = new Pulse(), order = 'downstream' }: TaskExtras,
  ) {
    this.stages = stages;
    this.times = times;
    this.waits = new Uint8Array(stages.length);
    this.env = env;
    this.spare = snapshots;
    this.afterTurn = afterTurn;
    this.pulse = pulse;
    this.order = new StageOrder(stages, order);
    this.flushPauseMs = order === 'fair' ? runtimeLimits.flushPauseMs : 0;
    this.flushedMs = new Float64Array(stages.length).fill(-Infinity);
  }

  /** Something may be ready again; with an argument: something has failed. */
  readonly wake = (failure?: unknown): void => {
    if (failure !== undefined) this.failure ??= failure;
    this.wakeUp.set();
  };

  /** Calls back once when nothing is ready any more, or the task has ended. */
  onIdle(listener: () => void): void {
    this.idleListeners.push(listener);
    this.wakeUp.set();
  }

  cancel(): void {
    this.isCancelled = true;
    this.wakeUp.set();
  }

  /**
   * Opens the stages, runs until all have finished, and closes them whatever happens.
   *
   * @param onOpen called when all are open, ahead of the first record
   */
  async run(onOpen: () => void | Promise<void>): Promise<'finished' | 'cancelled'> {
    const opened: Stage[] = [];
    try {
      for (const stage of [...this.stages].reverse()) {
        opened.push(stage);
        await stage.open();
      }
      await onOpen();
      await this.turns();
    } catch (error) {
      await this.close(opened).catch((closing: unknown) => {
        this.env.log.log('warn', 'closing after a failure failed, too', { error: String(closing) });
      });
      throw error;
    } finally {
      this.timer?.cancel();
      this.flushAtMs = Infinity;
      this.tellIdle();
    }
    await this.close(opened);
    return this.isCancelled ? 'cancelled' : 'finished';
  }

  private async turns(): Promise<void> {
    for (;;) {
      const isTimeUp = this.timedTurn();
      if (this.failure !== undefined) throw this.failure;
      if (this.isCancelled || this.stages.every(({ isFinished }) => isFinished)) return;
      if (isTimeUp) await this.yield();
      else {
        this.setTimer();
        this.tellIdle();
        await this.rest();
        await this.yieldIfLong();
      }
      if (this.failure !== undefined) throw this.failure;
    }
  }

  private async rest(): Promise<void> {
    const { stages, waits } = this;
    for (let at = 0; at < stages.length; at += 1) {
      const stage = stages[at]!;
      waits[at] = stage.isBlocked() ? Wait.forCredit : stage.isWaiting() ? Wait.outside : Wait.none;
    }
    this.restedUntilMs = this.env.clock.monotonicMs();
    await this.wakeUp.wait();
    this.noteRest();
    this.restedUntilMs = undefined;
  }

  /** Counts what stages have spent waiting until now, while nothing was ready. */
  noteRest(): void {
    const { restedUntilMs, waits, times } = this;
    if (restedUntilMs === undefined) return;
    const nowMs = this.env.clock.monotonicMs();
    for (let at = 0; at < waits.length; at += 1) {
      if (waits[at] === Wait.forCredit) {
        times[at]!.accumulateBackPressuredTimeMs += nowMs - restedUntilMs;
      } else if (waits[at] === Wait.outside) {
        times[at]!.accumulateBusyTimeMs += nowMs - restedUntilMs;
      }
    }
    this.restedUntilMs = nowMs;
  }

  /** Whoever wakes the task by promises alone must not keep timers and I/O from their turn. */
  private async yieldIfLong(): Promise<void> {
    const sinceMs = this.env.clock.monotonicMs() - this.yieldedMs;
    if (sinceMs >= runtimeLimits.turnMs) await this.yield();
  }

  private async yield(): Promise<void> {
    await this.env.scheduler.yield();
    this.yieldedMs = this.env.clock.monotonicMs();
  }

  /** A turn, and what it says about who waits for credit. */
  private timedTurn(): boolean {
    const { clock } = this.env;
    const begun = clock.monotonicMs();
    const isTimeUp = this.turn();
    // Seen once a turn, not after each step: it is a statistic.
    const nowMs = clock.monotonicMs();
    this.noteBlocked(nowMs - begun);
    for (const stage of this.stages) stage.linger(nowMs);
    this.afterTurn?.();
    this.pulse.end();
    return isTimeUp;
  }

  /** Steps until the turn's time is over (true) or nothing is ready (false). */
  private turn(): boolean {
    const { clock } = this.env;
    const begun = clock.monotonicMs();
    let now = begun;
    while (now - begun < runtimeLimits.turnMs && !this.isCancelled) {
      if (this.spare?.isDue(now) === true) {
        this.spare.step();
        now = clock.monotonicMs();
      }
      const at = this.order.next();
      if (at < 0) {
        if (this.flushFirst(now)) continue;
        if (this.spare?.hasWork !== true) return false;
        this.spare.step();
        now = clock.monotonicMs();
        continue;
      }
      this.pulse.begin(at);
      this.stages[at]!.step();
      const after = clock.monotonicMs();
      this.times[at]!.accumulateBusyTimeMs += after - now;
      now = after;
      if (this.failure !== undefined) return true;
    }
    return true;
  }

  /**
   * Hands on the partly filled batches of the first stage that has any, unless it has just done so:
   * slots that wait for one another would send each other ever smaller batches.
   */
  private flushFirst(nowMs: number): boolean {
    const { stages, flushedMs, flushPauseMs } = this;
    this.flushAtMs = Infinity;
    for (let at = 0; at < stages.length; at += 1) {
      const againMs = flushedMs[at]! + flushPauseMs;
      if (nowMs < againMs) this.flushAtMs = Math.min(this.flushAtMs, againMs);
      else if (stages[at]!.flush()) {
        flushedMs[at] = nowMs;
        return true;
      }
    }
    return false;
  }

  private noteBlocked(ms: number): void {
    for (let at = 0; at < this.stages.length; at += 1) {
      if (this.stages[at]!.isBlocked()) this.times[at]!.accumulateBackPressuredTimeMs += ms;
    }
  }

  private close(stages: readonly Stage[]): Promise<void> {
    return closeAll(stages.map((stage) => () => stage.close()));
  }

  private tellIdle(): void {
    const listeners = this.idleListeners;
    if (listeners.length === 0 || this.flushAtMs < Infinity) return;
    this.idleListeners = [];
    for (const listener of listeners) listener();
  }

  private setTimer(): void {
    const { clock, scheduler } = this.env;
    let next = Infinity;
    for (const stage of this.stages) next = Math.min(next, stage.wakeAtMs());
    if (this.flushAtMs < Infinity) {
      next = Math.min(next, clock.nowMs() + this.flushAtMs - clock.monotonicMs());
    }
    if (next === this.timerAtMs && this.timer !== undefined) return;
    this.timer?.cancel();
    this.timer = undefined;
    this.timerAtMs = next;
    if (next === Infinity) return;
    const delayMs = Math.max(0, next - clock.nowMs());
    this.timer = scheduler.after(delayMs, () => {
      this.timer = undefined;
      this.wakeUp.set();
    });
  }
}
