import type { Alert } from './rules/decide.js';
import { RULE_NAMES, type RuleName } from './rules/rule.js';

/** The numbers a view shows. They come from the caller: nothing here reads a clock. */
export interface Snapshot {
  readonly transactions: number;
  readonly perSecond: number;
  /** Event time reached, epoch milliseconds; `undefined` before the first transaction. */
  readonly eventTimeMs: number | undefined;
  readonly elapsedMs: number;
  readonly alerts: number;
  /** How many alerts each rule took part in. */
  readonly ruleCounts: Readonly<Partial<Record<RuleName, number>>>;
  /** Newest first. */
  readonly lastAlerts: readonly Alert[];
}

export type Colours = 'ansi' | 'none';

/** How to draw: colours, and the terminal's width in columns. */
export interface ScreenStyle {
  readonly colours: Colours;
  readonly columns: number;
}

/** Milliseconds between two plain progress lines. */
export const PROGRESS_EVERY_MS = 1_000;

const ALERTS_SHOWN = 6;
const BAR_COLUMNS = 24;

type Ink = 'bold' | 'dim' | 'red' | 'yellow' | 'cyan';

const INK_CODES: Readonly<Record<Ink, number>> = { bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36 };

type Paint = (ink: Ink, text: string) => string;

/** Colours only for a terminal whose user has not asked for none (https://no-color.org). */
export function coloursFor(output: { readonly isTTY?: boolean }, noColor?: string): Colours {
  return output.isTTY === true && (noColor === undefined || noColor === '') ? 'ansi' : 'none';
}

/** The live view as lines no wider than the terminal; always the same number of lines. */
export function renderScreen(snapshot: Snapshot, style: ScreenStyle): readonly string[] {
  const paint = paintFor(style.colours);
  return [
    headLine(snapshot, paint, style.columns),
    countLine(snapshot, paint, style.columns),
    '',
    ...ruleLines(snapshot, paint, style.columns),
    '',
    paint('dim', fit('last alerts', style.columns)),
    ...alertLines(snapshot.lastAlerts, paint, style.columns),
  ];
}

/** The same in one plain line, for pipes and logs; print one at most every `PROGRESS_EVERY_MS`. */
export function renderProgress(snapshot: Snapshot): string {
  const rules = RULE_NAMES.map((rule) => `${rule} ${grouped(snapshot.ruleCounts[rule] ?? 0)}`);
  return [
    `${seconds(snapshot.elapsedMs)} s`,
    eventTime(snapshot.eventTimeMs),
    `${grouped(snapshot.transactions)} transactions`,
    `${grouped(snapshot.perSecond)}/s`,
    `${grouped(snapshot.alerts)} alerts (${rules.join(', ')})`,
  ].join('  ');
}

/** One alert in one plain line: when, score, who, where, how much, and why. */
export function renderAlert(alert: Alert): string {
  return `${alertFacts(alert)}  ${alertReason(alert)}`;
}

function headLine(snapshot: Snapshot, paint: Paint, columns: number): string {
  const title = 'Card fraud';
  const time = `  event time ${eventTime(snapshot.eventTimeMs)}`;
  const room = Math.max(0, columns - title.length);
  return paint('bold', fit(title, columns)) + paint('cyan', fit(time, room));
}

function countLine(snapshot: Snapshot, paint: Paint, columns: number): string {
  const speed = `${grouped(snapshot.transactions).padStart(10)} transactions`;
  const rate = `${grouped(snapshot.perSecond).padStart(10)} /s`;
  const alerts = `${grouped(snapshot.alerts).padStart(8)} alerts`;
  const line = fit(`${speed}${rate}${alerts}   ${seconds(snapshot.elapsedMs)} s`, columns);
  return line.replace(alerts, paint('red', alerts));
}

function ruleLines(snapshot: Snapshot, paint: Paint, columns: number): readonly string[] {
  const most = Math.max(1, ...RULE_NAMES.map((rule) => snapshot.ruleCounts[rule] ?? 0));
  return RULE_NAMES.map((rule) => {
    const count = snapshot.ruleCounts[rule] ?? 0;
    const text = `  ${rule.padEnd(14)}${grouped(count).padStart(8)}  `;
    const bar = '▇'.repeat(Math.ceil((count / most) * BAR_COLUMNS));
    return fit(text, columns) + paint('yellow', fit(bar, Math.max(0, columns - text.length)));
  });
}

function alertLines(alerts: readonly Alert[], paint: Paint, columns: number): readonly string[] {
  return Array.from({ length: ALERTS_SHOWN }, (_, index) => {
    const alert = alerts[index];
    if (alert === undefined) return '';
    const facts = fit(`  ${alertFacts(alert)}`, columns);
    const reason = fit(`  ${alertReason(alert)}`, Math.max(0, columns - facts.length));
    return facts + paint('dim', reason);
  });
}

function alertFacts(alert: Alert): string {
  return [
    eventTime(alert.at),
    alert.score.toFixed(2),
    alert.card.padEnd(6),
    alert.terminal.padEnd(6),
    alert.amount.toFixed(2).padStart(8),
  ].join('  ');
}

function alertReason(alert: Alert): string {
  return alert.findings.map(({ rule, text }) => `${rule}: ${text}`).join('; ');
}

function paintFor(colours: Colours): Paint {
  if (colours === 'none') return (_, text) => text;
  return (ink, text) => (text === '' ? '' : `\u001b[${INK_CODES[ink]}m${text}\u001b[0m`);
}

function fit(text: string, columns: number): string {
  return text.length <= columns
    ? text
    : `${text.slice(0, Math.max(0, columns - 1))}…`.slice(0, columns);
}

function eventTime(atMs: number | undefined): string {
  return atMs === undefined
    ? '-'.padEnd(16)
    : new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}
