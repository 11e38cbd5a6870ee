type Rows = ReadonlyMap<string, readonly string[]>;

/** Examples of each kind, and characters of each. */
const examplesMax = 2;
const rowCharsMax = 160;

/**
 * How outputs differ as multisets, in a few lines; undefined where they are equal.
 *
 * @example 'sink alerts: 2 rows missing, 1 doubled\n  missing: …'
 */
export function differenceOf(found: Rows, expected: Rows): string | undefined {
  const sinks = new Set([...expected.keys(), ...found.keys()]);
  const parts = [...sinks].map((sink) =>
    sinkDifference(sink, found.get(sink) ?? [], expected.get(sink) ?? []),
  );
  const lines = parts.filter((part) => part !== undefined);
  return lines.length === 0 ? undefined : lines.join('\n');
}

function sinkDifference(
  sink: string,
  found: readonly string[],
  expected: readonly string[],
): string | undefined {
  const wanted = countsOf(expected);
  const counts = new Map(wanted);
  for (const row of found) counts.set(row, (counts.get(row) ?? 0) - 1);
  const groups: Record<'missing' | 'doubled' | 'not expected', string[]> = {
    missing: [],
    doubled: [],
    'not expected': [],
  };
  for (const [row, count] of counts) {
    if (count > 0) for (let i = 0; i < count; i += 1) groups.missing.push(row);
    const group = wanted.has(row) ? groups.doubled : groups['not expected'];
    for (let i = count; i < 0; i += 1) group.push(row);
  }
  const named = Object.entries(groups).filter(([, rows]) => rows.length > 0);
  if (named.length === 0) return undefined;
  const [first, ...others] = named.map(([name, rows]) => [rows.length, name] as const);
  const rest = others.map(([count, name]) => `, ${count} ${name}`).join('');
  const head = `sink ${sink}: ${first![0]} ${first![0] === 1 ? 'row' : 'rows'} ${first![1]}${rest}`;
  const examples = named.flatMap(([name, rows]) =>
    [...new Set(rows)].slice(0, examplesMax).map((row) => `  ${name}: ${shortened(row)}`),
  );
  return [head, ...examples].join('\n');
}

function countsOf(rows: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  return counts;
}

/** A row that fits into a line. */
export const shortened = (text: string): string =>
  text.length <= rowCharsMax ? text : `${text.slice(0, rowCharsMax - 1)}…`;
