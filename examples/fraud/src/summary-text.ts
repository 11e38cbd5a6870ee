import type { Summary } from './summary.js';

const NAMES: Readonly<Record<string, string>> = {
  '1': 'high amounts',
  '2': 'compromised terminals',
  '3': 'leaked cards',
};

/** The summary for people. */
export function renderSummary(summary: Summary): string {
  const { transactions, alerts, wallMs, eventsPerSecond } = summary;
  const lines = [
    `${count(transactions)} transactions in ${(wallMs / 1_000).toFixed(1)} s ` +
      `(${count(eventsPerSecond)} a second), ${count(alerts)} alerts`,
  ];
  if (summary.precision === null && summary.recall === null) {
    lines.push('whether the alerts are frauds: the input does not tell');
    return `${lines.join('\n')}\n`;
  }
  lines.push(`${share(summary.precision)} of the alerts are frauds`);
  lines.push(`${share(summary.recall)} of the frauds have an alert`);
  for (const [scenario, { frauds, caught }] of Object.entries(summary.scenarios)) {
    if (frauds === null || caught === null || frauds === 0) continue;
    const name = (NAMES[scenario] ?? `scenario ${scenario}`).padEnd(22);
    lines.push(`  ${name} ${share(caught / frauds)}  ${count(caught)} of ${count(frauds)}`);
  }
  return `${lines.join('\n')}\n`;
}

function share(part: number | null): string {
  return part === null ? '      -' : `${(part * 100).toFixed(1).padStart(5)} %`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
