import { ASSUMPTIONS } from '../assumptions.js';
import type { Rule } from './rule.js';

/**
 * An amount that is far from what the card usually pays, and near a thief's, is suspicious by
 * itself.
 */
export const cardAmount: Rule = ({ payment, card }) => {
  if (card.amountChance < ASSUMPTIONS.mentionChance) return undefined;
  const { mean, deviation } = card.usual;
  return {
    rule: 'card-amount',
    cause: 'card',
    chance: card.amountChance,
    text:
      `amount ${payment.amount.toFixed(2)} is ${card.ratio.toFixed(1)} times the card's usual ` +
      `${mean.toFixed(2)} (± ${deviation.toFixed(2)}, ${Math.round(card.known)} payments)`,
    numbers: {
      amount: payment.amount,
      ratio: card.ratio,
      mean,
      deviation,
      payments: Math.round(card.known),
    },
  };
};
