import type { StagedOutput, StagedPiece } from './staged-output.js';

/** Where the rows of one subtask go once they are committed. */
export interface SinkDestination {
  /** As in `StagedOutput`. */
  readonly home: string;
  /** What each hidden file begins with. */
  readonly head: string;
  /** As in `StagedOutput`; behind all that was placed. */
  readonly endByte: number | null;
  /**
   * Called once, before all else.
   *
   * @param restored what was prepared for this home; it is published by now
   * @returns text that comes before the first row
   */
  open(restored: StagedOutput | undefined): Promise<string>;
  /** Says where rows go that were prepared for a checkpoint. */
  place(
    checkpoint: number,
    rows: Pick<StagedPiece, 'bytes'>,
  ): Promise<Pick<StagedPiece, 'target' | 'atByte'>>;
}
