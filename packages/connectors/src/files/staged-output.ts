import { MillraceError } from '@millrace/core';

/** Rows that lie aside in a hidden file until the checkpoint they belong to is committed. */
export interface StagedPiece {
  /** Path of the hidden file. */
  readonly aside: string;
  readonly bytes: number;
  /** Of these bytes. */
  readonly crc32: number;
  /** Path of the file that readers see. */
  readonly target: string;
  /** Where in the target the rows go; null: they are all of it. */
  readonly atByte: number | null;
}

/** What a file sink prepares for a checkpoint: all that is needed to publish it, as JSON. */
export interface StagedOutput {
  readonly format: 1;
  /** The file that rows are appended to, or the folder of part files with a `/` at its end. */
  readonly home: string;
  /** Bytes of the file once all pieces are published; null for a folder. */
  readonly endByte: number | null;
  /** What is not published yet, in order. */
  readonly pieces: readonly StagedPiece[];
}

/**
 * What a checkpoint holds of a file sink; undefined where the sink had nothing in it.
 *
 * @throws MillraceError ERR_STATE_INCOMPATIBLE when it is another sink's
 */
export function stagedOutputOf(prepared: unknown): StagedOutput | undefined {
  if (prepared === undefined || prepared === null) return undefined;
  const output = prepared as Partial<StagedOutput>;
  if (output.format === 1 && typeof output.home === 'string' && Array.isArray(output.pieces)) {
    return output as StagedOutput;
  }
  const detail = `the checkpoint holds what no file sink prepared: ${shownOf(prepared)}`;
  throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail);
}

const shownCharsMax = 200;

const shownOf = (prepared: unknown): string => JSON.stringify(prepared).slice(0, shownCharsMax);
