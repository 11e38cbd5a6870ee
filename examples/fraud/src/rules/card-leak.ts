import { ASSUMPTIONS } from '../assumptions.js';
import { dayOf, dayText } from '../day.js';
import type { Rule } from './rule.js';

/**
 * On a card that earlier amounts or labels suggest is leaked, a smaller excess is suspicious
 * already.
 */
export const cardLeak: Rule = ({ payment, card }) => {
  const { leakChance, theftChance, ratio, lastFraudAt } = card;
  if (leakChance < ASSUMPTIONS.leak.watchChance) return undefined;
  if (theftChance < ASSUMPTIONS.mentionChance) return undefined;
  const last =
    lastFraudAt === undefined ? '' : `, last labelled fraud ${dayText(dayOf(lastFraudAt))}`;
  return {
    rule: 'card-leak',
    cause: 'card',
    chance: theftChance,
    text:
      `the card's last two weeks look leaked by ${percent(leakChance)}${last}, ` +
      `and ${payment.amount.toFixed(2)} is ${ratio.toFixed(1)} times its usual`,
    numbers: {
      leakChance,
      ratio,
      ...(lastFraudAt === undefined ? {} : { lastFraudAt }),
    },
  };
};

function percent(chance: number): string {
  return `${Math.round(chance * 100)} %`;
}
