import type { CoordinatorEffect, CoordinatorState } from './coordinator-state.js';

/** One step of the coordinator: the state and the effects so far. */
export class Draft {
  state: CoordinatorState;
  readonly effects: CoordinatorEffect[] = [];
  readonly nowMs: number;

  constructor(state: CoordinatorState, nowMs: number) {
    this.state = state;
    this.nowMs = nowMs;
  }

  change(part: Partial<CoordinatorState>): void {
    this.state = { ...this.state, ...part };
  }
}
