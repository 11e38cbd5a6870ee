import type { AttackReport, Counts } from './attack.js';

/** Tables of how often damage came to what. */
export function renderAttack({ byKind, byVictim, finished }: AttackReport): string {
  return [
    tableOf('damage', byKind),
    '',
    tableOf('job', byVictim),
    '',
    `${finished} of them were also run to their end, and the output compared`,
    '',
  ].join('\n');
}

function tableOf(head: string, counts: Counts): string {
  const labels = [...new Set([...counts.values()].flatMap((row) => [...row.keys()]))].sort();
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(head.length, ...rows.map(([name]) => name.length));
  const lineOf = (name: string, cells: readonly (string | number)[]): string =>
    [name.padEnd(width), ...cells.map((cell, i) => String(cell).padStart(labels[i]!.length))].join(
      '  ',
    );
  const sums = labels.map((label) => rows.reduce((sum, [, row]) => sum + (row.get(label) ?? 0), 0));
  return [
    lineOf(head, labels),
    ...rows.map(([name, row]) =>
      lineOf(
        name,
        labels.map((label) => row.get(label) ?? ''),
      ),
    ),
    lineOf('in all', sums),
  ].join('\n');
}
