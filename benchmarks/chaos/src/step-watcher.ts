import type { Failpoint, StepEvent } from './life-protocol.js';

/** What watching the steps of a process takes. */
export interface Watch<S extends string> {
  readonly failpoint: Failpoint<S> | undefined;
  /** Steps that come before a first commit, and count from the start of the life. */
  readonly earlySteps?: ReadonlySet<S> | undefined;
  /** Must have happened when it returns: the process may be dead in the next moment. */
  readonly tell: (event: StepEvent<S>) => void;
  /** Ends the process without another word, or stops it, or ends another one. */
  readonly kill: () => void;
}

/** Tells each step that a process takes, and kills where it is to be. */
export class StepWatcher<S extends string> {
  private readonly watch: Watch<S>;
  private failpoint: Failpoint<S> | undefined;
  private hasCommitted = false;
  private calls = 0;
  /** Of the failpoint's step, since the first commit or since it was armed. */
  private occurrences = 0;

  constructor(watch: Watch<S>) {
    this.watch = watch;
    this.failpoint = watch.failpoint;
  }

  /** In place of the one before. */
  arm(failpoint: Failpoint<S>): void {
    this.failpoint = failpoint;
    this.occurrences = 0;
  }

  /** A call of the storage, of whatever kind. */
  noteCall(): void {
    const { failpoint } = this;
    this.calls += 1;
    if (failpoint?.kind === 'start' && failpoint.call === this.calls) this.strike('start');
  }

  /** A commit has happened. */
  noteCommit(): void {
    this.hasCommitted = true;
    this.watch.tell({ kind: 'committed' });
  }

  /** @param half does half of it */
  async around<R>(step: S, act: () => Promise<R>, half?: () => Promise<void>): Promise<R> {
    const moment = this.isDue(step) ? this.moment() : undefined;
    this.begin(step);
    if (moment === 'during') await half?.();
    if (moment === 'before' || moment === 'during') this.strike(step);
    const result = await act();
    if (moment === 'after') this.strike(step);
    this.end(step);
    return result;
  }

  /** A step without extent. */
  point(step: S): void {
    if (this.isDue(step)) this.strike(step);
  }

  begin(step: S): void {
    this.watch.tell({ kind: 'begun', step });
  }

  end(step: S): void {
    this.watch.tell({ kind: 'ended', step });
  }

  /** Counts: whether this is the time at which the failpoint waits for the step. */
  isDue(step: S): boolean {
    const { failpoint } = this;
    if (failpoint?.kind !== 'step' || failpoint.step !== step) return false;
    if (!this.hasCommitted && this.watch.earlySteps?.has(step) !== true) return false;
    this.occurrences += 1;
    return this.occurrences === failpoint.occurrence;
  }

  moment(): 'before' | 'during' | 'after' | undefined {
    return this.failpoint?.kind === 'step' ? this.failpoint.moment : undefined;
  }

  strike(step: S | 'start'): void {
    this.watch.tell({ kind: 'failpoint', step });
    this.watch.kill();
  }
}
