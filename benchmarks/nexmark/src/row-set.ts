import { createHash } from 'node:crypto';

/** Rows as texts, sorted: two runs agree when these do, whatever the order of their rows. */
export function sortedTexts(rows: Iterable<unknown>): string[] {
  return Array.from(rows, (row) => JSON.stringify(row)).sort();
}

/** SHA-256, in hex, of sorted texts that are each ended by a newline. */
export function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text}\n`);
  return hash.digest('hex');
}

/** Rows that only one of two runs has. */
export interface RowDifference {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** Compares sorted texts as multisets; both lists are empty when they agree. */
export function differenceOf(
  actual: readonly string[],
  expected: readonly string[],
): RowDifference {
  const missing: string[] = [];
  const unexpected: string[] = [];
  let a = 0;
  let e = 0;
  while (a < actual.length || e < expected.length) {
    const left = actual[a];
    const right = expected[e];
    if (left === right) {
      a++;
      e++;
    } else if (right === undefined || (left !== undefined && left < right)) {
      unexpected.push(left!);
      a++;
    } else {
      missing.push(right);
      e++;
    }
  }
  return { missing, unexpected };
}

/** Tells the first few differing rows, one a line. */
export function describeDifference(difference: RowDifference, rowsMax = 5): string {
  const { missing, unexpected } = difference;
  return [
    `${missing.length} rows missing, ${unexpected.length} unexpected`,
    ...missing.slice(0, rowsMax).map((text) => `  missing    ${text}`),
    ...unexpected.slice(0, rowsMax).map((text) => `  unexpected ${text}`),
  ].join('\n');
}
