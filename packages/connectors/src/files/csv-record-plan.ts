import { MillraceError } from '@millrace/core';
import { withContext } from '@millrace/core/internal';
import type { CsvColumns, CsvColumnType } from './csv-columns.js';
import type { CsvRowScanner } from './csv-row-scanner.js';
import { csvBoolean, csvInteger, csvNumber } from './csv-values.js';
import { detached } from './detached-text.js';

/** How the rows of one file become records: which field, as what, under which name. */
export interface CsvRecordPlan {
  /** Fields that every row has. */
  readonly fieldCount: number;
  readonly columns: readonly PlannedColumn[];
}

interface PlannedColumn {
  readonly name: string;
  /** Of the field in the row. */
  readonly index: number;
  readonly type: 'string' | 'number' | 'integer' | 'boolean';
  readonly isNullable: boolean;
}

/**
 * Finds the wanted columns in a header; without a choice all are texts.
 *
 * @throws MillraceError ERR_INVALID_OPTION when a wanted column is missing or there twice
 */
export function planRecords(
  header: readonly string[],
  wanted: CsvColumns | undefined,
): CsvRecordPlan {
  const names = wanted === undefined ? header : Object.keys(wanted);
  const columns = names.map((name) => {
    const index = header.indexOf(name);
    if (index < 0) refuseHeader(name, `the header has no column '${name}'`, header);
    if (header.indexOf(name, index + 1) >= 0) {
      refuseHeader(name, `the header has the column '${name}' twice`, header);
    }
    const type: CsvColumnType = wanted?.[name] ?? 'string';
    const isNullable = type.endsWith('?');
    const base = (isNullable ? type.slice(0, -1) : type) as PlannedColumn['type'];
    return { name, index, type: base, isNullable };
  });
  return { fieldCount: header.length, columns };
}

function refuseHeader(field: string, what: string, header: readonly string[]): never {
  const known = header.map((name) => `'${name}'`).join(', ');
  throw new MillraceError('ERR_INVALID_OPTION', `${what}; it has ${known}`, { field });
}

/**
 * The row scanned last as a record. All records of a plan have the same properties in the same
 * order, and so one hidden class.
 *
 * @throws MillraceError ERR_INVALID_RECORD naming the column that cannot be converted
 */
export function recordOf(
  plan: CsvRecordPlan,
  text: string,
  row: CsvRowScanner,
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const column of plan.columns) {
    const value = convert(column, text, row);
    if (column.name === '__proto__') defineOwn(record, column.name, value);
    else record[column.name] = value;
  }
  return record;
}

function convert(column: PlannedColumn, text: string, row: CsvRowScanner): unknown {
  const start = row.starts[column.index]!;
  const end = row.ends[column.index]!;
  if (column.isNullable && start === end) return null;
  try {
    switch (column.type) {
      case 'string':
        return detached(row.field(text, column.index));
      case 'number':
        return csvNumber(text, start, end);
      case 'integer':
        return csvInteger(text, start, end);
      case 'boolean':
        return csvBoolean(row.field(text, column.index));
    }
  } catch (error) {
    throw error instanceof MillraceError ? withContext(error, { field: column.name }) : error;
  }
}

function defineOwn(record: object, name: string, value: unknown): void {
  Object.defineProperty(record, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
