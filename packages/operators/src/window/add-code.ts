import {
  type Key,
  type KeyTable,
  type Operator,
  type Outputs,
  RecordFailure,
  type RecordLoop,
} from '@millrace/core/spi';
import type { Fold } from './fold.js';
import { addStatements, closureOf, preparedParts, prepareStatements } from './fold-code.js';
import { addToAll } from './fold-plain.js';
import { beginOf, type Marks } from './marks.js';
import type { Tracking } from './tracking.js';

/**
 * Where the records of the timestamps `lo ≤ t < hi` are added: to the rows of `tables` (one table
 * for slices, one for each window otherwise). Moved by `seek`.
 */
export interface AddTarget {
  lo: number;
  hi: number;
  table: KeyTable;
  tables: readonly KeyTable[];
  /** Some of these windows have fired already: each record fires them again. */
  again: boolean;
  readonly marks: Marks;
  /** Moves to the timestamp; false when its record is late for all of its windows. */
  seek(timestamp: number): boolean;
  /** Takes a late record. */
  late(value: unknown, key: Key, timestamp: number, out: Outputs): void;
  /** Called ahead of a record that fires windows again. */
  beforeAgain(key: Key): void;
  /** Fires again the windows at the target that have fired before. */
  fireAgain(key: Key, out: Outputs): void;
}

/** The table, where there is one. */
const onlyOf = (tables: readonly KeyTable[]): KeyTable | undefined =>
  tables.length === 1 ? tables[0] : undefined;

/** Adds records to a target; to several tables when records are stored per window. */
export function addLoopOf(
  fold: Fold,
  target: AddTarget,
  { perWindow, tracking }: { readonly perWindow: boolean; readonly tracking: Tracking },
): RecordLoop {
  const { names, values } = closureOf(fold);
  const epoch = tracking === 'tracked' ? ', epoch = table.epoch' : '';
  const tables = perWindow
    ? 'tables = target.tables, only = onlyOf(tables), lastKey = undefined, lastSlot = -1'
    : `table = target.table${epoch}`;
  const lists = perWindow
    ? preparedParts(fold)
        .map((name) => ` const ${name}s = [];`)
        .join('')
    : '';
  return {
    names: [...names, 'target', 'onlyOf'],
    values: [...values, target, onlyOf],
    begin: beginOf(target.marks),
    before: `let lo = target.lo, hi = target.hi, again = target.again, ${tables};${lists}`,
    record: `if (t < lo || t >= hi) {
  if (!target.seek(t)) {
    lo = 1; hi = 0;
    target.late(value, key, t, out);
    if (out.isFull()) { i += 1; break; }
    continue;
  }
  lo = target.lo; hi = target.hi; again = target.again; ${tables.replaceAll(',', ';')};
}
if (again) target.beforeAgain(key);
${perWindow ? addEverywhere(fold, tracking) : addStatements(fold, 'make', tracking)}
if (again) {
  target.fireAgain(key, out);
  if (out.isFull()) { i += 1; break; }
}`,
  };
}

/**
 * Adds to each of the record's windows. With one window the last key's slot is remembered: such
 * windows often have few keys, or one.
 *
 * With several, the author's functions run for all of them before any row changes: a record that
 * throws in one window is in none.
 */
function addEverywhere(fold: Fold, tracking: Tracking): string {
  const prepared = preparedParts(fold);
  const keep = prepared.map((name) => `${name}s[w] = ${name};`).join(' ');
  const epoch = tracking === 'tracked' ? ', epoch = table.epoch' : '';
  const prepareAll =
    prepared.length === 0
      ? ''
      : `for (let w = 0; w < tables.length; w += 1) {
    const table = tables[w], found = table.find(key)${epoch};
    ${prepareStatements(fold, 'make', tracking).join(' ')}
    ${keep}
  }`;
  return `if (only !== undefined) {
  const table = only, found = key === lastKey ? lastSlot : table.find(key)${epoch};
  ${addStatements(fold, 'maybe', tracking)}
  lastKey = key; lastSlot = slot;
} else {
  ${prepareAll}
  for (let w = 0; w < tables.length; w += 1) {
    const table = tables[w]${epoch};
    ${prepared.map((name) => `const ${name} = ${name}s[w];`).join(' ')}
    ${addStatements(fold, 'prepared', tracking)}
  }
}`;
}

/** The same without generated code. */
export function plainAddLoop(
  fold: Fold,
  target: AddTarget,
  operatorId: string,
): Operator['processBatch'] {
  return (batch, from, out) => {
    let i = from;
    try {
      for (; i < batch.count; i += 1) {
        if (target.marks === 'marks') out.mark();
        const t = batch.timestamps[i]!;
        const key = batch.keys![i]!;
        if ((t < target.lo || t >= target.hi) && !target.seek(t)) {
          target.late(batch.values[i], key, t, out);
        } else {
          if (target.again) target.beforeAgain(key);
          const inputs = batch.columns.map((column) => column[i]);
          addToAll(fold, target.tables, key, inputs);
          if (target.again) target.fireAgain(key, out);
        }
        if (out.isFull()) return i + 1;
      }
    } catch (error) {
      throw new RecordFailure(i, operatorId, error);
    }
    return batch.count;
  };
}
