/** What an oracle watches over. */
export type OracleName =
  | 'output'
  | 'conservation'
  | 'checkpoints'
  | 'owners'
  | 'leftovers'
  | 'progress'
  | 'sink'
  | 'failure';

/** A promise of the engine that was broken. */
export class SimulationViolation extends Error {
  readonly oracle: OracleName;

  constructor(oracle: OracleName, detail: string) {
    super(`${oracle}: ${detail}`);
    this.name = 'SimulationViolation';
    this.oracle = oracle;
  }
}
