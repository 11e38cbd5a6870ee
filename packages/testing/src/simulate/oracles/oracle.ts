import type { InputOf, SimulationInput, SimulationOutputs } from '../simulate-options.js';

/** What an oracle may look at, of one seed. */
export interface Observation {
  /** What the run under faults has committed, as texts by sink. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
  /** The same as values. */
  readonly outputs: SimulationOutputs;
  readonly input: Readonly<Record<string, readonly unknown[]>>;
  /** Sinks that get dead letters as they are. */
  readonly deadLetterSinks: ReadonlySet<string>;
  /** What the same input gives without faults, in one slot. */
  reference(): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** Says whether a run is as it should be. Made by `exactlyOnce()` and its like. */
export interface Oracle {
  readonly name: string;
  /** Whether its runs have faults; `orders`: only slots and interleavings differ. */
  readonly runs: 'faults' | 'orders';
  /** What is known of a failure: `compared` to another run it may be looked for the reason. */
  readonly kind: 'compared' | 'absolute';
  /** @throws what is wrong */
  check(seen: Observation): void | Promise<void>;
}

/** An oracle, or a function that throws when the outputs do not fit the input. */
export type Expectation<I extends SimulationInput> =
  | Oracle
  | ((outputs: SimulationOutputs, input: InputOf<I>) => void | Promise<void>);

/** The difference that an oracle found. */
export class OracleError extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'OracleError';
  }
}

/** @returns the oracle; a function becomes one over runs with faults */
export function oracleOf<I extends SimulationInput>(expectation: Expectation<I>): Oracle {
  if (typeof expectation !== 'function') return expectation;
  return {
    name: expectation.name || 'the custom oracle',
    runs: 'faults',
    kind: 'absolute',
    check: ({ outputs, input }) => expectation(outputs, input as InputOf<I>),
  };
}
