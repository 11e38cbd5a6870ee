/** What an oracle watches over. */
export type OracleName =
  | 'output'
  | 'conservation'
  | 'checkpoints'
  | 'owners'
  | 'credit'
  | 'leftovers'
  | 'progress'
  | 'sink'
  | 'failure';

/** Which oracles are asked: all, or only those that look at what was published. */
export type Oracles = 'all' | 'output';

/** What can be seen without knowing anything of how the engine works. */
export const outputOracles: readonly OracleName[] = ['output', 'conservation'];

/** A promise of the engine that was broken. */
export class SimulationViolation extends Error {
  readonly oracle: OracleName;

  constructor(oracle: OracleName, detail: string) {
    super(`${oracle}: ${detail}`);
    this.name = 'SimulationViolation';
    this.oracle = oracle;
  }
}
