import { ASSUMPTIONS } from '../assumptions.js';
import { DAY_MS } from '../day.js';
import { LABEL_DELAY_MS } from '../label.js';

const { startChance, days } = ASSUMPTIONS.terminal;

/**
 * A compromise which ended within the delay of labels still explains the frauds they report now.
 */
const REMEMBERED_DAYS = days + LABEL_DELAY_MS / DAY_MS;

/** More certainty than this changes nothing, and the numbers must stay finite. */
const EVIDENCE_MAX = 1e250;

/**
 * Labels of a terminal since the last genuine one. A compromised terminal makes every payment a
 * fraud, so a genuine payment clears it up to that day, and only the frauds since then need to be
 * remembered.
 */
export interface FraudRun {
  /** Day of the last payment labelled genuine. */
  clearedDay: number;
  /** Days with labelled frauds since then, oldest first, no more than are remembered. */
  readonly frauds: FraudDay[];
}

interface FraudDay {
  readonly day: number;
  count: number;
  /** How many times as likely these frauds are at a compromised terminal as at another. */
  evidence: number;
}

/** A terminal which nobody has seen before `day`. */
export function newFraudRun(day: number): FraudRun {
  return { clearedDay: day - REMEMBERED_DAYS, frauds: [] };
}

/** A copy that shares nothing that changes. */
export function copyFraudRun({ clearedDay, frauds }: FraudRun): FraudRun {
  return { clearedDay, frauds: frauds.map((fraud) => ({ ...fraud })) };
}

/** A payment of `day` was labelled genuine. */
export function addGenuine(run: FraudRun, day: number): void {
  run.clearedDay = day;
  if (run.frauds.length > 0) run.frauds.length = 0;
}

/** A payment of `day` was labelled a fraud, which has another cause with chance `otherChance`. */
export function addFraud(run: FraudRun, day: number, otherChance: number): void {
  const { frauds } = run;
  while (frauds.length > 0 && frauds[0]!.day <= day - REMEMBERED_DAYS) frauds.shift();
  const last = frauds.at(-1);
  if (last?.day === day) {
    last.count += 1;
    last.evidence = Math.min(EVIDENCE_MAX, last.evidence / otherChance);
  } else {
    frauds.push({ day, count: 1, evidence: 1 / otherChance });
  }
}

/**
 * The chance that the terminal is compromised on `day`, over all days on which it may have begun.
 */
export function compromiseChance(run: FraudRun, day: number): number {
  const firstStart = Math.max(run.clearedDay, day - REMEMBERED_DAYS) + 1;
  if (run.frauds.length === 0) return startChance * Math.min(days, day - firstStart + 1);
  let now = 0;
  let over = 0;
  for (let start = firstStart; start <= day; start += 1) {
    const weight = startChance * evidenceFor(run.frauds, start);
    if (start + days > day) now += weight;
    else over += weight;
  }
  return now / (1 + now + over);
}

function evidenceFor(frauds: readonly FraudDay[], start: number): number {
  let evidence = 1;
  for (const fraud of frauds) {
    if (fraud.day >= start && fraud.day < start + days) evidence *= fraud.evidence;
  }
  return Math.min(EVIDENCE_MAX, evidence);
}
