/**
 * What a slot is doing, for whoever watches it from outside: two numbers in memory that threads
 * share.
 */
export class Pulse {
  private readonly cells: Int32Array;

  constructor(cells: Int32Array = new Int32Array(pulseCells)) {
    this.cells = cells;
  }

  /** A stage begins a step. */
  begin(stage: number): void {
    this.cells[0] = stage + 1;
  }

  /** A turn has ended. */
  end(): void {
    this.cells[0] = 0;
    this.cells[1]! += 1;
  }

  /** Index of the stage at work; undefined between turns. */
  get stage(): number | undefined {
    const at = this.cells[0]!;
    return at === 0 ? undefined : at - 1;
  }

  /** Turns so far, modulo 2³². */
  get turns(): number {
    return this.cells[1]!;
  }
}

export const pulseCells = 2;
