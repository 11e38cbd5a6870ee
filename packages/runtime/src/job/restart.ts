import { type Duration, durationMs, MillraceError } from '@millrace/core';

/** When a job whose attempt failed is started again from its last checkpoint. */
export type RestartStrategy =
  | { readonly kind: 'none' }
  /** So many restarts in all, each after the same delay. */
  | { readonly kind: 'fixed'; readonly attempts: number; readonly delay: Duration }
  /**
   * For ever, with delays that grow by `multiplier` from `initial` to `max`, each changed at random
   * by the share `jitter`. After `resetAfter` without a failure the delay is the initial one again.
   */
  | {
      readonly kind: 'exponential';
      readonly initial?: Duration | undefined;
      readonly max?: Duration | undefined;
      readonly multiplier?: number | undefined;
      readonly jitter?: number | undefined;
      readonly resetAfter?: Duration | undefined;
    }
  /** As long as no more than `failures` come within `per`. */
  | {
      readonly kind: 'failureRate';
      readonly failures: number;
      readonly per: Duration;
      readonly delay: Duration;
    };

/** What a strategy remembers of the failures so far. */
export interface RestartState {
  /** When attempts failed, monotonic ms, oldest first; no more than the strategy needs. */
  readonly failures: readonly number[];
  readonly count: number;
  readonly nextDelayMs: number;
}

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'give up' };

export const noFailures: RestartState = { failures: [], count: 0, nextDelayMs: 0 };

/** The default of jobs with checkpoints: in Flink's manner, but for a first delay of 100 ms. */
const exponentialDefaults = {
  initial: '100ms',
  max: '1m',
  multiplier: 2,
  jitter: 0.1,
  resetAfter: '10m',
} as const;

/**
 * Decides about one failure.
 *
 * @param failedMs when the attempt failed, monotonic ms
 * @param random from 0 (included) to 1
 */
export function afterFailure(
  strategy: RestartStrategy,
  state: RestartState,
  failedMs: number,
  random: number,
): readonly [RestartState, RestartDecision] {
  const count = state.count + 1;
  switch (strategy.kind) {
    case 'none':
      return [{ ...state, count }, { kind: 'give up' }];
    case 'fixed':
      return [
        { ...state, count },
        count > strategy.attempts
          ? { kind: 'give up' }
          : { kind: 'restart', delayMs: durationMs(strategy.delay, 'delay') },
      ];
    case 'failureRate': {
      const since = failedMs - durationMs(strategy.per, 'per');
      const failures = [...state.failures.filter((at) => at > since), failedMs];
      return [
        { failures: failures.slice(-strategy.failures - 1), count, nextDelayMs: 0 },
        failures.length > strategy.failures
          ? { kind: 'give up' }
          : { kind: 'restart', delayMs: durationMs(strategy.delay, 'delay') },
      ];
    }
    case 'exponential':
      return exponential(strategy, state, failedMs, random);
  }
}

function exponential(
  strategy: RestartStrategy & { readonly kind: 'exponential' },
  state: RestartState,
  failedMs: number,
  random: number,
): readonly [RestartState, RestartDecision] {
  const { initial, max, multiplier, jitter, resetAfter } = { ...exponentialDefaults, ...strategy };
  const last = state.failures.at(-1) ?? -Infinity;
  const isFresh = failedMs - last > durationMs(resetAfter ?? '10m', 'resetAfter');
  const initialMs = durationMs(initial ?? '100ms', 'initial');
  const delayMs = isFresh ? initialMs : Math.max(initialMs, state.nextDelayMs);
  const maxMs = durationMs(max ?? '1m', 'max');
  const nextDelayMs = Math.min(maxMs, delayMs * (multiplier ?? 2));
  const spread = (jitter ?? 0) * (2 * random - 1);
  return [
    { failures: [failedMs], count: state.count + 1, nextDelayMs },
    { kind: 'restart', delayMs: Math.min(maxMs, delayMs) * (1 + spread) },
  ];
}

/** @throws MillraceError `ERR_INVALID_OPTION` for a strategy that cannot be meant */
export function checkStrategy(strategy: RestartStrategy): void {
  const problem = problemOf(strategy);
  if (problem !== undefined) {
    throw new MillraceError('ERR_INVALID_OPTION', problem, { field: 'restart' });
  }
}

function problemOf(strategy: RestartStrategy): string | undefined {
  switch (strategy.kind) {
    case 'none':
      return undefined;
    case 'fixed':
      durationMs(strategy.delay, 'delay');
      return wholeProblem('attempts', strategy.attempts);
    case 'failureRate':
      durationMs(strategy.delay, 'delay');
      durationMs(strategy.per, 'per');
      return wholeProblem('failures', strategy.failures);
    case 'exponential': {
      const { jitter = 0, multiplier = 2 } = strategy;
      if (!(multiplier >= 1)) return `multiplier is ${multiplier}, not at least 1`;
      return jitter >= 0 && jitter <= 1 ? undefined : `jitter is ${jitter}, not a share`;
    }
  }
}

const wholeProblem = (name: string, value: number): string | undefined =>
  Number.isSafeInteger(value) && value >= 1 ? undefined : `${name} is ${value}, not 1 or more`;
