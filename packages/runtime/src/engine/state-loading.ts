import type { Operator, Prefetch, StateBackend } from '@millrace/core/spi';

/**
 * Waits for state that is outside memory: ahead of a call the rows it needs are loaded, and between
 * batches rows are moved out where too many are in memory.
 */
export class StateLoading {
  /** While true, the operator is not to be called. */
  isWaiting = false;
  /** What has been loaded for the next call. */
  private loaded: Prefetch | undefined;
  private readonly operator: Operator;
  private readonly state: StateBackend;
  private readonly wake: (failure?: unknown) => void;
  private readonly isNeeded: boolean;

  constructor(operator: Operator, state: StateBackend, wake: (failure?: unknown) => void) {
    this.operator = operator;
    this.state = state;
    this.wake = wake;
    this.isNeeded = state.relieve !== undefined;
  }

  /** Whether the call has to wait; when it need not any more, the stage is woken. */
  mustWaitFor(next: () => Prefetch | undefined): boolean {
    if (!this.isNeeded) return false;
    if (this.loaded !== undefined) {
      this.loaded = undefined;
      return false;
    }
    const call = next();
    if (call === undefined) return false;
    const relieved = this.state.relieve?.();
    const pending =
      relieved === undefined
        ? this.operator.prefetch?.(call)
        : relieved.then(() => this.operator.prefetch?.(call));
    if (pending === undefined) return false;
    this.isWaiting = true;
    pending.then(
      () => {
        this.isWaiting = false;
        this.loaded = call;
        this.wake();
      },
      (error: unknown) => this.wake(error),
    );
    return true;
  }
}
