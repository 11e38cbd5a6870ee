import type { KeyGroupRange } from '@millrace/core/internal';
import { stateLimits } from '../limits.js';
import type { StateLayout } from './block.js';
import type { BlockEntry, SegmentIndex } from './segment-footer.js';
import type { ReadBytes } from './segment-format.js';

/** A segment to merge. */
export interface MergeInput {
  readonly index: SegmentIndex;
  readonly read: ReadBytes;
}

/** Blocks of one segment. */
interface UnitPart {
  readonly input: MergeInput;
  readonly entries: BlockEntry[];
}

/** What can be merged by itself: one state in one namespace. */
export interface MergeUnit {
  /** Any layout of the state. */
  readonly layout: StateLayout;
  readonly namespace: readonly number[];
  /** The blocks after the last `drop`, oldest first. */
  parts: UnitPart[];
  /** Whether there was a `drop`: nothing older matters. */
  isDropped: boolean;
}

const groupEnd = 0x1_0000;

/** The units of a chain of segments, in the order in which they appear. */
export function mergeUnits(inputs: readonly MergeInput[]): MergeUnit[] {
  const units = new Map<string, MergeUnit>();
  for (const input of inputs) {
    for (const entry of input.index.blocks) {
      const layout = input.index.layouts[entry.layout]!;
      const { namespace } = entry;
      const id = JSON.stringify([layout.operator, layout.state, namespace.join()]);
      let unit = units.get(id);
      if (unit === undefined) {
        unit = { layout, namespace, parts: [], isDropped: false };
        units.set(id, unit);
      }
      if (entry.kind === 'drop') {
        unit.isDropped = true;
        unit.parts = [];
      } else if (unit.parts.at(-1)?.input === input) {
        unit.parts.at(-1)!.entries.push(entry);
      } else {
        unit.parts.push({ input, entries: [entry] });
      }
    }
  }
  return [...units.values()];
}

/** Runs of key groups of about as many rows as a merge may hold at a time. */
export function runsOf({ parts }: MergeUnit): KeyGroupRange[] {
  const entries = parts.flatMap((part) => part.entries);
  const all = entries.reduce((sum, entry) => sum + shareOf(entry), 0);
  if (all <= 1) return entries.length === 0 ? [] : [{ first: 0, last: groupEnd - 1 }];
  // What begins at a group, less what ended before it.
  const changes = new Float64Array(groupEnd + 1);
  for (const entry of entries) {
    const each = shareOf(entry) / (entry.highGroup - entry.lowGroup + 1);
    changes[entry.lowGroup]! += each;
    changes[entry.highGroup + 1]! -= each;
  }
  const runs: KeyGroupRange[] = [];
  let first = 0;
  let share = 0;
  let held = 0;
  for (let group = 0; group < groupEnd; group += 1) {
    share += changes[group]!;
    if (held > 0 && held + share > 1) {
      runs.push({ first, last: group - 1 });
      first = group;
      held = 0;
    }
    held += share;
  }
  return [...runs, { first, last: groupEnd - 1 }];
}

/** Of what a merge may hold at a time. */
function shareOf({ count, length }: BlockEntry): number {
  return Math.max(count / stateLimits.mergeRowsMax, length / stateLimits.mergeBytesMax);
}
