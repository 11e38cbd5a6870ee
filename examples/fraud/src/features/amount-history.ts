import { ASSUMPTIONS } from '../assumptions.js';

const { newCardMean, newCardWeight, spread, spreadWeight, memory } = ASSUMPTIONS.amounts;

/**
 * A card's own amounts: sums in which each payment weighs as much as it is believed to be the
 * owner's.
 */
export interface AmountHistory {
  weight: number;
  sum: number;
  squares: number;
}

/** What the card usually spends. `deviation` includes how little is known yet. */
export interface UsualAmount {
  readonly mean: number;
  readonly deviation: number;
}

/** A card whose amounts nobody has seen yet. */
export function newAmounts(): AmountHistory {
  return { weight: 0, sum: 0, squares: 0 };
}

/**
 * Counts an amount with a weight between 0 and 1, or takes such a weight back when it is negative.
 * Suspected payments come with little weight, so a thief does not teach the card new habits.
 */
export function addAmount(history: AmountHistory, amount: number, weight: number): void {
  const grown = history.weight + weight;
  // Nothing is left when more is taken back than fading has kept.
  const fade = grown <= 0 ? 0 : Math.min(1, memory / grown);
  history.weight = grown * fade;
  history.sum = Math.max(0, history.sum + weight * amount) * fade;
  history.squares = Math.max(0, history.squares + weight * amount * amount) * fade;
}

/**
 * Estimates what the card spends from its history, and from an average card while that is short.
 */
export function usualAmount(history: AmountHistory): UsualAmount {
  const weight = history.weight + newCardWeight;
  const mean = (history.sum + newCardWeight * newCardMean) / weight;
  const own =
    history.weight > 0
      ? Math.max(0, history.squares - (history.sum * history.sum) / history.weight)
      : 0;
  const assumed = spread * spread * mean * mean;
  const variance = (own + spreadWeight * assumed) / (history.weight + spreadWeight);
  return { mean, deviation: Math.sqrt(variance * (1 + 3 / weight)) };
}

/**
 * How many times as likely `amount` is if a thief spends `factor` times what the owner does than if
 * the owner spends it, with amounts spread normally round the mean.
 */
export function theftLikelihood(usual: UsualAmount, amount: number, factor: number): number {
  const owner = (amount - usual.mean) / usual.deviation;
  const thief = (amount / factor - usual.mean) / usual.deviation;
  return Math.exp((owner * owner - thief * thief) / 2) / factor;
}
