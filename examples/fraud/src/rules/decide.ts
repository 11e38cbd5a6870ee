import { ASSUMPTIONS } from '../assumptions.js';
import type { Evidence } from '../features/terminal.js';
import type { Payment } from '../transaction.js';
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

/** Runs all rules; an alert if the score reaches the threshold. */
export function decide(evidence: Evidence<Payment>): Alert | undefined {
  const findings = RULES.map((rule) => rule(evidence)).filter((found) => found !== undefined);
  if (findings.length === 0) return undefined;
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
