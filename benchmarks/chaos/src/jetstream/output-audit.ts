import { differenceOf } from '@millrace/benchmark-nexmark';
import type { OutputStream, StoredMarker } from './output-stream.js';

/** What a process went on from; those that died before they knew are left out. */
export interface Succession {
  readonly life: number;
  readonly resumedFrom: number | null;
}

/** What is wrong with an output; all zero and empty: nothing. */
export interface OutputFindings {
  readonly rows: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Rows of a process behind a checkpoint that its successor went on from. */
  readonly fromZombies: readonly string[];
  /** Markers that do not follow the one before. */
  readonly outOfOrder: readonly string[];
}

/** Compares an output with what it should be, and looks who published what. */
export function auditOutput(
  output: OutputStream,
  expected: readonly string[],
  successions: readonly Succession[],
): OutputFindings {
  const rows = [...output.batches.flatMap((batch) => batch.rows), ...output.rest];
  const lines = rows.map(({ line }) => line).sort();
  const { missing: lost, unexpected: doubled } = differenceOf(lines, [...expected].sort());
  return {
    rows: lines.length,
    lost,
    doubled,
    fromZombies: zombieRows(output, successions),
    outOfOrder: misplaced(output),
  };
}

export const isSound = (findings: OutputFindings): boolean => {
  const { lost, doubled, fromZombies, outOfOrder } = findings;
  return [lost, doubled, fromZombies, outOfOrder].every((list) => list.length === 0);
};

/** A checkpoint belongs to the last process that went on from one before it. */
function zombieRows({ batches, rest }: OutputStream, successions: readonly Succession[]): string[] {
  const ownerOf = (checkpoint: number): number | undefined =>
    successions.findLast(({ resumedFrom }) => (resumedFrom ?? 0) < checkpoint)?.life;
  const found = batches.flatMap(({ rows, marker: { checkpoint } }) => {
    const owner = ownerOf(checkpoint);
    return rows
      .filter(({ life }) => life !== owner)
      .map(
        ({ line, life }) => `${line}: of process ${life}, checkpoint ${checkpoint} is ${owner}'s`,
      );
  });
  return [...found, ...rest.map(({ line, life }) => `${line}: of process ${life}, no marker`)];
}

/** Each chunk of each checkpoint is published once, in order, in one history. */
function misplaced({ batches }: OutputStream): string[] {
  return batches.flatMap(({ marker }, index) => {
    const before = batches[index - 1]?.marker;
    return before === undefined || follows(before, marker)
      ? []
      : [`${textOf(marker)} behind ${textOf(before)}`];
  });
}

function follows(before: StoredMarker, marker: StoredMarker): boolean {
  if (before.lineage !== marker.lineage) return false;
  if (before.checkpoint === marker.checkpoint) return marker.chunk === before.chunk + 1;
  const isFirst = marker.chunk === 1 || (marker.of === 1 && marker.chunk === marker.of);
  return before.checkpoint < marker.checkpoint && before.chunk === before.of && isFirst;
}

const textOf = ({ checkpoint, chunk, of, lineage }: StoredMarker): string =>
  `chunk ${chunk} of ${of} of checkpoint ${checkpoint} of ${lineage}`;
