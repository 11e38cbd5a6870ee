import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describeDifference, differenceOf, hashOf, sortedTexts } from './row-set.js';

/** What a query's result must be: its size and the hash of its sorted rows. */
interface GoldenResult {
  readonly rows: number;
  readonly sha256: string;
}

/** A set of events with the result of each query on them. */
export interface GoldenSet {
  readonly name: string;
  /** Path of the events. */
  readonly events: string;
  /** Folder of `SUMMARY.tsv` and of the rows of some queries. */
  readonly folder: string;
}

/** Path of a file in this benchmark's data folder. */
function dataPath(name: string): string {
  return fileURLToPath(new URL(`../data/${name}`, import.meta.url));
}

/** The golden sets that come with the benchmark. */
export const goldenSets: readonly GoldenSet[] = [
  { name: 'ordered', events: dataPath('events.ndjson.gz'), folder: dataPath('golden') },
  {
    name: 'disordered',
    events: dataPath('disordered.ndjson.gz'),
    folder: dataPath('golden-disordered'),
  },
];

/** Reads the results that a folder's `SUMMARY.tsv` tells, by query. */
function readGolden(folder: string): ReadonlyMap<string, GoldenResult> {
  const [, ...lines] = readFileSync(join(folder, 'SUMMARY.tsv'), 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [query = '', rows = '', sha256 = ''] = line.split('\t');
      return [query, { rows: Number(rows), sha256 }];
    }),
  );
}

/** Compares a query's rows with the golden ones; the text tells what differs, or is undefined. */
export function mismatchWithGolden(
  folder: string,
  query: string,
  rows: Iterable<unknown>,
): string | undefined {
  const golden = readGolden(folder).get(query);
  if (golden === undefined) return `${folder} has no result of ${query}`;
  const texts = sortedTexts(rows);
  if (texts.length === golden.rows && hashOf(texts) === golden.sha256) return undefined;
  const counts = `${query}: ${texts.length} rows, not the ${golden.rows} golden ones`;
  const rowFile = join(folder, `${query}.ndjson.gz`);
  if (!existsSync(rowFile)) return `${counts}; ${rowFile} would show which`;
  const expected = gunzipSync(readFileSync(rowFile)).toString().trim().split('\n').sort();
  return `${counts}\n${describeDifference(differenceOf(texts, expected))}`;
}
