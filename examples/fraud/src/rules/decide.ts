import { ASSUMPTIONS } from '../assumptions.js';
import type { Evidence } from '../features/terminal.js';
import type { Payment, Transaction } from '../transaction.js';
import { amountLimit } from './amount-limit.js';
import { cardAmount } from './card-amount.js';
import { cardLeak } from './card-leak.js';
import { cardVelocity } from './card-velocity.js';
import type { Cause, Finding, Rule } from './rule.js';
import { terminalRisk } from './terminal-risk.js';

const RULES: readonly Rule[] = [amountLimit, cardAmount, cardLeak, cardVelocity, terminalRisk];

/** A payment found suspicious: why, and by how much. */
export interface Alert {
  readonly id: string;
  /** Epoch milliseconds of the payment, which is when the alert was decided. */
  readonly at: number;
  readonly card: string;
  readonly terminal: string;
  readonly amount: number;
  /** Chance of a fraud, between 0 and 1. */
  readonly score: number;
  /** Rules that fired, strongest first. */
  readonly findings: readonly Finding[];
}

/** A transaction and what was decided about it. */
export interface Decided {
  readonly transaction: Transaction;
  readonly alert: Alert | undefined;
}

/** Runs all rules; an alert if the score reaches the threshold. */
export function decide(evidence: Evidence<Payment>): Alert | undefined {
  let findings: Finding[] | undefined;
  for (const rule of RULES) {
    const found = rule(evidence);
    if (found === undefined) continue;
    // Nearly all payments end without any, so there is no list until there is a finding.
    if (findings === undefined) findings = [found];
    else findings.push(found);
  }
  if (findings === undefined) return undefined;
  const score = scoreOf(findings);
  if (score < ASSUMPTIONS.alertScore) return undefined;
  findings.sort((left, right) => right.chance - left.chance);
  const { id, at, card, terminal, amount } = evidence.payment;
  return { id, at, card, terminal, amount, score, findings };
}

/**
 * The chance that at least one cause is real: the strongest finding of each cause, causes
 * independent.
 */
export function scoreOf(findings: readonly Finding[]): number {
  const strongest = new Map<Cause, number>();
  for (const { cause, chance } of findings) {
    strongest.set(cause, Math.max(chance, strongest.get(cause) ?? 0));
  }
  let innocent = 1;
  for (const chance of strongest.values()) innocent *= 1 - chance;
  return 1 - innocent;
}
