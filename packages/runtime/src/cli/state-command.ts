import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { MillraceError } from '@millrace/core';
import type { Manifest } from '../checkpoint/manifest.js';
import { nodeEnv } from '../host/node-env.js';
import { atPoint } from '../inspect/checkpoint-list.js';
import { diffRows, type RowDifference } from '../inspect/state-diff.js';
import { readStateRows, type StateFilter, type StateRow } from '../inspect/state-rows.js';
import { keyTextsOf, placeOf, textOf } from '../inspect/state-text.js';
import type { Terminal } from './commands.js';
import { table } from './text-table.js';

/** Which point of a folder to look at. */
export interface AtOption {
  /** Id of a checkpoint or name of a savepoint. */
  readonly at?: string | undefined;
}

export interface GetOptions extends AtOption {
  readonly state?: string | undefined;
}

export interface ScanOptions extends GetOptions {
  readonly operator?: string | undefined;
  /** Rows to print at the most. */
  readonly limit: number;
}

/** `millrace state ls DIR`: operators and their states, with rows and keys. */
export async function listState(folder: string, at: AtOption, terminal: Terminal): Promise<void> {
  const rows = await rowsAt(folder, at, {});
  const states = new Map<string, { readonly row: StateRow; count: number }>();
  for (const row of rows) {
    const id = `${row.operator}\n${row.state}`;
    const found = states.get(id);
    if (found === undefined) states.set(id, { row, count: 1 });
    else found.count += 1;
  }
  const lines = [...states.values()].map(({ row: { operator, state, kind }, count }) => [
    operator,
    state,
    kind,
    String(count),
  ]);
  terminal.out(table(['operator', 'state', 'kind', 'rows'], lines));
}

/** `millrace state get DIR OPERATOR KEY`: everything of one key. */
export async function getState(
  folder: string,
  [operator, keyText]: readonly [string, string],
  { at, state }: GetOptions,
  terminal: Terminal,
): Promise<void> {
  const found = await rowsAt(folder, { at }, { operator, state, keys: keyTextsOf(keyText) });
  const rows = found.filter((row) => isKeyed(row) || row.state === state);
  if (rows.length === 0) {
    refuse('key', `${operator} has no state of key ${keyText}; see "millrace state scan"`);
  }
  for (const row of rows) terminal.out(lineOf(row));
}

/** `millrace state scan DIR`: rows in order, up to a limit. */
export async function scanState(
  folder: string,
  options: ScanOptions,
  terminal: Terminal,
): Promise<void> {
  const rows = withoutGroupTimes(await rowsAt(folder, options, options), options);
  for (const row of rows.slice(0, options.limit)) terminal.out(lineOf(row));
  const left = rows.length - options.limit;
  if (left > 0) terminal.err(`${left} more; see them with --limit`);
}

/** `millrace state diff DIR A B`: rows that differ, per operator and key. */
export async function diffState(
  folder: string,
  [from, to]: readonly [string, string],
  options: ScanOptions,
  terminal: Terminal,
): Promise<void> {
  const before = (await readRows(folder, { at: from }, options)).rows;
  const { rows: after, manifest } = await readRows(folder, { at: to }, options);
  // In one of the two an operator may be unknown: it may have come or gone.
  if (before.length === 0 && after.length === 0) assertKnown(manifest, options);
  const differences = diffRows(
    withoutGroupTimes(before, options),
    withoutGroupTimes(after, options),
  );
  for (const difference of differences.slice(0, options.limit)) terminal.out(diffLine(difference));
  const count = (change: RowDifference['change']): number =>
    differences.filter((difference) => difference.change === change).length;
  terminal.err(
    `${count('added')} added, ${count('removed')} removed, ${count('changed')} changed` +
      (differences.length > options.limit ? `; ${options.limit} shown` : ''),
  );
}

/** A time for each key group says little; whoever names the state gets it. */
const withoutGroupTimes = (rows: readonly StateRow[], { state }: GetOptions): readonly StateRow[] =>
  rows.filter((row) => row.kind !== 'keyGroupTimes' || row.state === state);

/** Whether what a row has as its key is one: not a key group, nor an index. */
const isKeyed = ({ kind }: StateRow): boolean =>
  kind !== 'keyGroupTimes' && kind !== 'operatorList';

/** `millrace state export DIR --output FILE`: rows as NDJSON. */
export async function exportState(
  folder: string,
  options: Omit<ScanOptions, 'limit'> & { readonly output?: string | undefined },
  terminal: Terminal,
): Promise<void> {
  const rows = await rowsAt(folder, options, options);
  if (options.output === undefined) {
    for (const row of rows) terminal.out(textOf(row));
    return;
  }
  try {
    await pipeline(linesOf(rows), createWriteStream(options.output));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const detail = `${options.output} cannot be written: ${reason}`;
    throw new MillraceError('ERR_STORAGE_FAILED', detail, { cause });
  }
  terminal.err(`${rows.length} rows written to ${options.output}`);
}

function* linesOf(rows: readonly StateRow[]): Iterable<string> {
  for (const row of rows) yield `${textOf(row)}\n`;
}

/** Rows of a point; a name that is misspelt is refused, for it must not look like empty state. */
async function rowsAt(
  folder: string,
  at: AtOption,
  filter: StateFilter,
): Promise<readonly StateRow[]> {
  const { rows, manifest } = await readRows(folder, at, filter);
  if (rows.length === 0) assertKnown(manifest, filter);
  return rows;
}

function readRows(folder: string, { at }: AtOption, { operator, state, keys }: StateFilter) {
  return atPoint(nodeEnv(), folder, at, async ({ manifest, store }) => ({
    manifest,
    rows: await readStateRows(manifest, store, { operator, state, keys }),
  }));
}

function assertKnown({ states }: Manifest, { operator, state }: StateFilter): void {
  const operators = [...new Set(states.map((known) => known.operator))];
  if (operator !== undefined && !operators.includes(operator)) {
    refuse('operator', `no operator ${operator} has state, but ${operators.join(', ')}`);
  }
  const own = states.filter((known) => operator === undefined || known.operator === operator);
  if (state === undefined || own.some((known) => known.state === state)) return;
  const names = [...new Set(own.map((known) => known.state))].join(', ');
  refuse('state', `there is no state ${state}, but ${names}`);
}

function refuse(field: string, detail: string): never {
  throw new MillraceError('ERR_INVALID_OPTION', detail, { field });
}

const lineOf = (row: StateRow): string =>
  `${row.operator} ${row.state} ${placeOf(row)} = ${textOf(row.value)}`;

function diffLine({ operator, state, place, change, before, after }: RowDifference): string {
  const sign = { added: '+', removed: '-', changed: '~' }[change];
  const values =
    change === 'changed' ? `${textOf(before)} → ${textOf(after)}` : textOf(after ?? before);
  return `${sign} ${operator} ${state} ${place} = ${values}`;
}
