import {
  type Key,
  type KeyTable,
  type Operator,
  type OperatorContext,
  type Outputs,
  RecordFailure,
  type RecordLoop,
} from '@millrace/core/spi';
import type { TimeWindow } from './assigner.js';
import type { Fold } from './fold.js';
import { addStatements, closureOf } from './fold-code.js';
import { addCellsAt } from './fold-plain.js';
import { beginOf, type Marks } from './marks.js';
import { type Tracking, trackingOf } from './tracking.js';

/**
 * Numbers of a session's row ahead of its accumulators. `nextPane` is below 0 where panes of it have
 * been fired, and none with its present borders: it fires again at its end.
 */
export const sessionCells = { start: 0, end: 1, nextPane: 2, bucket: 3 } as const;

/** Their initial values. */
export const sessionNumbers = [0, 0, 0, 0] as const;

/** A record as the slow path takes it. */
export interface SessionRecord {
  readonly value: unknown;
  readonly key: Key;
  readonly timestamp: number;
  /** The projection's inputs. */
  readonly inputs: readonly unknown[];
}

/** What the local phase has made of a key's records, each of them within the gap of another. */
export interface PartialSession {
  readonly key: Key;
  /** Of the first record. */
  readonly timestamp: number;
  readonly lastMs: number;
  /** How many. */
  readonly records: number;
  /** Makes its accumulators those of a new row. */
  storeIn(table: KeyTable, slot: number): void;
  /** Merges its accumulators into a row's. */
  mergeInto(table: KeyTable, slot: number): void;
}

/** What is added to a key's sessions on the slow path. */
export type SessionAddition = SessionRecord | PartialSession;

export const lastMsOf = (addition: SessionAddition): number =>
  'lastMs' in addition ? addition.lastMs : addition.timestamp;

/** The window of a session's row, and the number of its next pane. */
export function paneAt(
  { numbers, numberStride }: KeyTable,
  slot: number,
): { readonly index: number; readonly window: TimeWindow } {
  const at = slot * numberStride;
  const { start, end, nextPane } = sessionCells;
  return {
    index: Math.abs(numbers[at + nextPane]!),
    window: { start: numbers[at + start]!, end: numbers[at + end]! },
  };
}

/** What the loop needs of its operator. */
export interface SessionTarget {
  readonly gapMs: number;
  readonly marks: Marks;
  /** A key's latest session. */
  readonly latest: KeyTable;
  /** Takes a record that does not simply continue its key's latest session. */
  takeElsewhere(record: SessionRecord, out: Outputs): void;
}

/** Adds one record's inputs to a row. */
export type AddRow = (table: KeyTable, slot: number, inputs: readonly unknown[]) => void;

/** Adds records: those inside or at the end of their key's latest session at once. */
export function sessionLoopOf(fold: Fold, target: SessionTarget, tracking: Tracking): RecordLoop {
  const { names, values } = closureOf(fold);
  const { start, end, nextPane } = sessionCells;
  const inputs = fold.inputs.map((_input, k) => `x${k}`).join(', ');
  const epoch = tracking === 'tracked' ? ', epoch = table.epoch' : '';
  return {
    names: [...names, 'target'],
    values: [...values, target],
    begin: beginOf(target.marks),
    before: `const gap = target.gapMs, table = target.latest${epoch};`,
    record: `const found = table.find(key);
if (found >= 0) {
  const cells = table.numbers, row = found * ${fold.row.numbers.length};
  if (t >= cells[row + ${start}] && t <= cells[row + ${end}] && cells[row + ${nextPane}] <= 0) {
    ${addStatements(fold, 'found', tracking)}
    if (t + gap > cells[row + ${end}]) cells[row + ${end}] = t + gap;
    continue;
  }
}
target.takeElsewhere({ value, key, timestamp: t, inputs: [${inputs}] }, out);
if (out.isFull()) { i += 1; break; }`,
  };
}

export function addRowOf(fold: Fold, context: OperatorContext): AddRow {
  if (context.codegen === 'off') {
    return (table, slot, inputs) => addCellsAt(fold, table, slot, inputs);
  }
  const tracking = trackingOf(context);
  const { names, values } = closureOf(fold);
  const inputs = fold.inputs.map((_input, k) => `const x${k} = inputs[${k}];`).join(' ');
  const body = `return function addRow(table, found, inputs) {
  ${inputs}
  ${tracking === 'tracked' ? 'const epoch = table.epoch;' : ''}
  ${addStatements(fold, 'found', tracking)}
};`;
  return context.compile<AddRow>('row', { names, values, body });
}

/** The record loop without generated code. */
export function plainSessionLoop(
  fold: Fold,
  target: SessionTarget,
  operatorId: string,
): Operator['processBatch'] {
  const { start, end, nextPane } = sessionCells;
  return (batch, from, out) => {
    let i = from;
    try {
      for (; i < batch.count && !out.isFull(); i += 1) {
        if (target.marks === 'marks') out.mark();
        const timestamp = batch.timestamps[i]!;
        const key = batch.keys![i]!;
        const inputs = batch.columns.map((column) => column[i]);
        const table = target.latest;
        const slot = table.find(key);
        const row = slot * table.numberStride;
        const cells = table.numbers;
        const inside =
          slot >= 0 && timestamp >= cells[row + start]! && timestamp <= cells[row + end]!;
        if (!inside || cells[row + nextPane]! > 0) {
          target.takeElsewhere({ value: batch.values[i], key, timestamp, inputs }, out);
        } else {
          addCellsAt(fold, table, slot, inputs);
          cells[row + end] = Math.max(cells[row + end]!, timestamp + target.gapMs);
        }
      }
    } catch (error) {
      throw new RecordFailure(i, operatorId, error);
    }
    return i;
  };
}
