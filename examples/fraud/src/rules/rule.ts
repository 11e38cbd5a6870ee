import type { Evidence } from '../features/terminal.js';
import type { Payment } from '../transaction.js';

/** What a rule can be about. Findings of one cause are not independent; of two causes they are. */
export type Cause = 'amount' | 'card' | 'terminal' | 'velocity';

/** A rule that fired on a payment. */
export interface Finding {
  readonly rule: RuleName;
  readonly cause: Cause;
  /** Chance of a fraud by this rule alone, between 0 and 1. */
  readonly chance: number;
  /** One sentence with the numbers. */
  readonly text: string;
  readonly numbers: Readonly<Record<string, number>>;
}

export const RULE_NAMES = [
  'amount-limit',
  'card-amount',
  'card-leak',
  'card-velocity',
  'terminal-risk',
] as const;

export type RuleName = (typeof RULE_NAMES)[number];

/** Looks at a payment's evidence; `undefined` when there is nothing worth saying. */
export type Rule = (evidence: Evidence<Payment>) => Finding | undefined;
