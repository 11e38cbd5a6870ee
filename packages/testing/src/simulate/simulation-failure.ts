/**
 * What `simulate` rejects with when an oracle does not hold. Its message has the seed, the smallest
 * difference, what happened, and how to run that seed again.
 */
export class SimulationFailure extends Error {
  readonly seed: number;
  readonly oracle: string;

  constructor(seed: number, oracle: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SimulationFailure';
    this.seed = seed;
    this.oracle = oracle;
  }
}
