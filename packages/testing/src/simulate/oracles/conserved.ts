import type { DeadLetter } from '@millrace/core';
import { MillraceError } from '@millrace/core';
import { shortened } from './difference.js';
import { type Observation, type Oracle, OracleError } from './oracle.js';

/** A name by which a record is found again in the output. */
export type RecordId = string | number | bigint;

/** Options of {@link conserved}. */
export interface ConservedOptions<T> {
  /** Id of the source whose records are counted. */
  readonly source: string;
  /**
   * Where they may be: ids of sinks whose rows `id` takes, too (of dead letters it gets the
   * record), or for each sink a function that names the records that a row stands for.
   */
  readonly sinks:
    | readonly string[]
    | { readonly [sink: string]: (row: never) => RecordId | readonly RecordId[] };
  /** The name of a record, unique in the input. */
  readonly id: (record: T) => RecordId;
}

/**
 * Every record of a source is found exactly once in the outputs of the given sinks together: main,
 * side, late and dead letters.
 *
 * @throws MillraceError `ERR_TEST_KIT` while it runs for a source or sink that the job has not
 * @example
 * conserved({ source: 'payments', sinks: ['accepted', 'refused'], id: (p: Payment) => p.id });
 */
export function conserved<T>({ source, sinks, id }: ConservedOptions<T>): Oracle {
  return {
    name: 'conserved',
    runs: 'faults',
    kind: 'absolute',
    check: (seen) => {
      const records = known('source', source, seen.input);
      const wanted = new Set(records.map((record) => id(record as T)));
      if (wanted.size < records.length) {
        throw new MillraceError('ERR_TEST_KIT', `source ${source}: ids of records are not unique`);
      }
      const found = idsIn(seen, sinks, (row) => id(row as T));
      const lines = [
        ...[...wanted]
          .filter((each) => !found.has(each))
          .map((each) => `record ${each} of ${source} is in no sink`),
        ...[...found]
          .filter(([, places]) => places.length > 1)
          .map(([each, places]) => `record ${each} is there ${places.length} times: ${places}`),
        ...[...found.keys()]
          .filter((each) => !wanted.has(each))
          .map((each) => `record ${each} is not of ${source}`),
      ];
      if (lines.length > 0) throw new OracleError(firstOf(lines));
    },
  };
}

/** Differences that are shown. */
const linesMax = 4;

function firstOf(lines: readonly string[]): string {
  const more = lines.length > linesMax ? [`and ${lines.length - linesMax} more`] : [];
  return [...lines.slice(0, linesMax).map(shortened), ...more].join('\n');
}

/** By record, the sinks that have it. */
function idsIn(
  { outputs, deadLetterSinks }: Observation,
  sinks: ConservedOptions<unknown>['sinks'],
  id: (row: unknown) => RecordId,
): Map<RecordId, string[]> {
  const ids = Array.isArray(sinks)
    ? Object.fromEntries((sinks as readonly string[]).map((sink) => [sink, undefined]))
    : (sinks as Readonly<Record<string, (row: never) => RecordId | readonly RecordId[]>>);
  const found = new Map<RecordId, string[]>();
  for (const [sink, own] of Object.entries(ids)) {
    for (const row of known('sink', sink, outputs)) {
      const main = deadLetterSinks.has(sink) ? (row as DeadLetter).record : row;
      const named = own === undefined ? id(main) : own(row as never);
      for (const each of [named].flat() as readonly RecordId[]) {
        const places = found.get(each) ?? [];
        places.push(sink);
        found.set(each, places);
      }
    }
  }
  return found;
}

function known(
  kind: 'source' | 'sink',
  id: string,
  all: Readonly<Record<string, readonly unknown[]>>,
): readonly unknown[] {
  const found = all[id];
  if (found !== undefined) return found;
  const detail = `the job has no ${kind} '${id}', only ${Object.keys(all).join(', ')}`;
  throw new MillraceError('ERR_TEST_KIT', detail);
}
