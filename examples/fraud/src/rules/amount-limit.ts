import { ASSUMPTIONS } from '../assumptions.js';
import type { Rule } from './rule.js';

/** An amount above the limit is an alert, whoever pays. */
export const amountLimit: Rule = ({ payment }) => {
  const limit = ASSUMPTIONS.amountLimit;
  if (payment.amount <= limit) return undefined;
  return {
    rule: 'amount-limit',
    cause: 'amount',
    chance: 1,
    text: `amount ${payment.amount.toFixed(2)} is above the limit of ${limit}`,
    numbers: { amount: payment.amount, limit },
  };
};
