import { ASSUMPTIONS } from '../assumptions.js';
import type { Finding, Rule } from './rule.js';

/** A card that pays far more often than it usually does is being emptied. */
export const cardVelocity: Rule = ({ card: { velocity } }) => {
  const { lastHour, lastDay, lastWeek, usualPerDay } = velocity;
  return (
    burst(lastHour, 1, usualPerDay) ??
    burst(lastDay, 24, usualPerDay) ??
    burst(lastWeek, 168, usualPerDay)
  );
};

function burst(count: number, hours: number, perDay: number): Finding | undefined {
  const usual = (perDay * hours) / 24;
  // One is added to the variance: a rarely used card may pay twice in an hour.
  const sigma = (count - usual) / Math.sqrt(usual + 1);
  if (sigma < ASSUMPTIONS.velocity.burstSigma) return undefined;
  return {
    rule: 'card-velocity',
    cause: 'velocity',
    chance: ASSUMPTIONS.velocity.burstChance,
    text: `${count} payments in ${hours} h, usual are ${usual.toFixed(1)}`,
    numbers: { count, hours, usual, sigma },
  };
}
