import type { KeyTable } from '@millrace/core/spi';
import type { RowCode } from './row-code.js';
import type { SessionRef } from './session-calendar.js';
import { lastMsOf, type SessionAddition, sessionCells } from './session-code.js';
import type { SessionRows } from './session-rows.js';

const { start, end, nextPane } = sessionCells;

/** A session that something is added to in place, with the borders it has then. */
export interface SessionJoint {
  readonly session: SessionRef;
  readonly table: KeyTable;
  readonly slot: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The only session that an addition touches, if it has not fired: mostly the addition begins it
 * earlier, or belongs to an older one, as records of another subtask do. The session stays in the
 * calendar where it is.
 */
export function jointOf(
  rows: SessionRows,
  { key, timestamp }: SessionAddition,
  additionEndMs: number,
): SessionJoint | undefined {
  const touched = rows.touching(key, timestamp, additionEndMs);
  const session = touched[0];
  if (session === undefined || touched.length > 1) return undefined;
  const { table, slot } = rows.find(session);
  const { numbers } = table;
  const at = slot * table.numberStride;
  if (numbers[at + nextPane]! > 0) return undefined;
  const startMs = Math.min(numbers[at + start]!, timestamp);
  const endMs = Math.max(numbers[at + end]!, additionEndMs);
  return { session, table, slot, startMs, endMs };
}

/**
 * Makes the scratch row the session that an addition and what it touches become together, but for
 * the addition's own accumulators; returns its slot.
 */
export function mergeTouched(
  rows: SessionRows,
  code: RowCode,
  addition: SessionAddition,
  touched: readonly SessionRef[],
  gapMs: number,
): number {
  const { scratch } = rows;
  scratch.clear();
  const merged = scratch.slot(addition.key);
  const cells = scratch.numbers;
  cells[start] = addition.timestamp;
  cells[end] = lastMsOf(addition) + gapMs;
  for (const session of touched) {
    const { table, slot } = rows.find(session);
    const at = slot * table.numberStride;
    code.mergeRow(scratch, merged, table, slot);
    cells[start] = Math.min(cells[start]!, table.numbers[at + start]!);
    cells[end] = Math.max(cells[end]!, table.numbers[at + end]!);
    cells[nextPane] = Math.min(cells[nextPane]!, -Math.abs(table.numbers[at + nextPane]!));
  }
  return merged;
}
