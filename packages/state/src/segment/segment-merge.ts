import type { KeyGroupRange } from '@millrace/core/internal';
import { MergeOutput } from './merge-output.js';
import { MergeRows } from './merge-rows.js';
import { type MergeInput, type MergeUnit, mergeUnits, runsOf } from './merge-units.js';
import { readAhead } from './read-ahead.js';
import { readEntries, readFrames, touches } from './segment-reader.js';
import type { SegmentWriter } from './segment-writer.js';
import { Turns } from './turns.js';

export interface MergeOptions {
  /**
   * `tidy`: no segment has a row twice. Then a state in a namespace of which only one segment says
   * anything is taken over block by block, undecoded and in its order. Default `any`.
   */
  readonly inputs?: 'tidy' | 'any' | undefined;
  /** The inputs reach back to the beginning: what is gone need not be said any more. */
  readonly isComplete: boolean;
  /**
   * Awaited about every 2,000 rows, to give others a turn and to take the writer's chunks: memory
   * is bounded only if they are taken here.
   */
  readonly pause: () => Promise<void>;
}

/**
 * Writes what a chain of segments says as one: of rows with the same operator, state, namespace,
 * key and identity columns the newest, whatever its version; −0 and 0 in an identity column are
 * two. Rows are sorted by key group, then by the bytes of their keys. A key must be in the same
 * key group everywhere.
 *
 * Holds one state and namespace and as many key groups at a time as have some 8,000 rows or
 * 16 MiB, or one key group that has more. The caller finishes the writer.
 *
 * @param inputs oldest first
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`; what `read` and `pause` throw. The writer is of
 *   no use afterwards.
 */
export async function mergeSegments(
  inputs: readonly MergeInput[],
  writer: SegmentWriter,
  { isComplete, pause, inputs: kind = 'any' }: MergeOptions,
): Promise<void> {
  const turns = new Turns(pause);
  const output = new MergeOutput(writer);
  const buffered = inputs.map(({ index, read }) => ({ index, read: readAhead(read, index.bytes) }));
  for (const unit of mergeUnits(buffered)) {
    output.begin(unit.namespace);
    if (unit.isDropped && !isComplete) output.drop(unit.layout);
    if (kind === 'tidy' && isPlain(unit, isComplete)) {
      output.flush();
      await copyBlocks(unit, writer, turns);
      continue;
    }
    const keepsGone = !isComplete && !unit.isDropped;
    for (const range of runsOf(unit)) {
      const rows = await gather(unit, range, turns);
      await rows.sort(turns);
      if (keepsGone) {
        for (const { key, group } of rows.removedKeys()) {
          output.removeKey(unit.layout, key, group);
          if (turns.isOver(1)) await turns.end();
        }
        // They act on older rows only.
        output.flush();
      }
      for (const row of rows.left()) {
        if (row.kind === 'rows' || keepsGone) output.add(row, rows);
        if (turns.isOver(1)) await turns.end();
      }
    }
    if (turns.isOver(1)) await turns.end();
  }
  output.flush();
}

/** Whether the unit's blocks can be taken as they are: nothing older or newer says anything of it. */
function isPlain({ parts, isDropped }: MergeUnit, isComplete: boolean): boolean {
  if (parts.length !== 1) return false;
  // Removals have nothing left to remove where the chain, or a drop, begins.
  const saysGone = parts[0]!.entries.some(({ kind }) => kind !== 'rows');
  return !saysGone || (!isComplete && !isDropped);
}

async function copyBlocks(
  { parts }: MergeUnit,
  writer: SegmentWriter,
  turns: Turns,
): Promise<void> {
  const [{ input, entries }] = parts as [MergeUnit['parts'][number]];
  for await (const { entry, framed } of readFrames(input.read, entries)) {
    writer.copy(writer.layout(input.index.layouts[entry.layout]!), entry, framed);
    if (turns.isOver(1)) await turns.end();
  }
}

async function gather(unit: MergeUnit, range: KeyGroupRange, turns: Turns): Promise<MergeRows> {
  const rows = new MergeRows();
  for (const { input, entries } of unit.parts) {
    const touching = entries.filter((entry) => touches(entry, range));
    for await (const block of readEntries(input.index, input.read, touching, range)) {
      rows.add(block, input.index.layouts[block.layout]!);
      if (turns.isOver(block.columns.count)) await turns.end();
    }
  }
  return rows;
}
