import { ASSUMPTIONS } from '../assumptions.js';
import type { Rule } from './rule.js';

/** A card that pays far more often than it usually does is being emptied. */
export const cardVelocity: Rule = ({ card: { velocity } }) => {
  const perDay = velocity.usualPerDay;
  const windows = [
    { hours: 1, count: velocity.lastHour },
    { hours: 24, count: velocity.lastDay },
    { hours: 168, count: velocity.lastWeek },
  ];
  for (const { hours, count } of windows) {
    const usual = (perDay * hours) / 24;
    // One is added to the variance: a rarely used card may pay twice in an hour.
    const sigma = (count - usual) / Math.sqrt(usual + 1);
    if (sigma < ASSUMPTIONS.velocity.burstSigma) continue;
    return {
      rule: 'card-velocity',
      cause: 'velocity',
      chance: ASSUMPTIONS.velocity.burstChance,
      text: `${count} payments in ${hours} h, usual are ${usual.toFixed(1)}`,
      numbers: { count, hours, usual, sigma },
    };
  }
  return undefined;
};
