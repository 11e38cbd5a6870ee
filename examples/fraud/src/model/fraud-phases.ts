import type { Random } from './random.js';

const COMPROMISED_DAYS = 28;
const LEAKED_DAYS = 14;

/** Which terminals are compromised and which cards are leaked on the current day. */
export interface FraudPhases {
  /** Draws the day's new victims. Called once for each day, in order. */
  begin(day: number): void;
  terminalCompromised(terminal: number): boolean;
  cardLeaked(card: number): boolean;
}

export interface FraudPhaseOptions {
  readonly cards: number;
  readonly terminals: number;
  readonly compromisedPerDay: number;
  readonly leakedPerDay: number;
}

/**
 * Draws `compromisedPerDay` terminals for 28 days and `leakedPerDay` cards for 14 days, every day.
 */
export function fraudPhases(random: Random, options: FraudPhaseOptions): FraudPhases {
  const terminalUntil = new Int32Array(options.terminals);
  const cardUntil = new Int32Array(options.cards);
  let today = 0;
  return {
    begin(day) {
      today = day;
      drawVictims(random, terminalUntil, options.compromisedPerDay, day + COMPROMISED_DAYS);
      drawVictims(random, cardUntil, options.leakedPerDay, day + LEAKED_DAYS);
    },
    terminalCompromised: (terminal) => terminalUntil[terminal]! > today,
    cardLeaked: (card) => cardUntil[card]! > today,
  };
}

function drawVictims(random: Random, until: Int32Array, count: number, end: number): void {
  const wanted = Math.min(count, until.length);
  // A victim may be drawn again on a later day, which prolongs its phase, but not twice on one day.
  for (let drawn = 0; drawn < wanted; ) {
    const victim = random.integer(until.length);
    if (until[victim] === end) continue;
    until[victim] = end;
    drawn += 1;
  }
}
