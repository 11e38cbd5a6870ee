import { DAY_MS } from '../day.js';
import type { Transaction } from '../transaction.js';
import { type FraudPhases, fraudPhases } from './fraud-phases.js';
import { type Random, seededRandom } from './random.js';
import { type CardProfile, drawWorld, type World } from './world.js';

/** What to simulate. The defaults of scale are the Handbook's. */
export interface SimulationOptions {
  readonly seed: number;
  readonly cards?: number | undefined;
  readonly terminals?: number | undefined;
  readonly days?: number | undefined;
  /** Midnight (UTC) of the first day, epoch milliseconds; 2018-04-01 unless given. */
  readonly startMs?: number | undefined;
  readonly compromisedPerDay?: number | undefined;
  readonly leakedPerDay?: number | undefined;
}

const DAY_SECONDS = 86_400;
const NOON_SECONDS = DAY_SECONDS / 2;
const TIME_DEVIATION_SECONDS = 20_000;
const HIGH_AMOUNT = 220;
const LEAKED_SHARE = 1 / 3;
const LEAKED_FACTOR = 5;

interface Draft {
  readonly second: number;
  readonly card: string;
  readonly terminal: string;
  readonly amount: number;
  readonly scenario: number;
}

/**
 * Simulates card payments after the generator of the Fraud Detection Handbook (Le Borgne et al.,
 * chapter 3), one day at a time, sorted by time. The same options give the same transactions; more
 * days only add to them.
 */
export function* simulateDays(options: SimulationOptions): Generator<readonly Transaction[]> {
  const { cards = 5_000, terminals = 10_000, days = 183 } = options;
  const { startMs = Date.UTC(2018, 3, 1) } = options;
  const random = seededRandom(options.seed);
  const world = drawWorld(random, cards, terminals);
  const phases = fraudPhases(random, {
    cards,
    terminals,
    compromisedPerDay: options.compromisedPerDay ?? 2,
    leakedPerDay: options.leakedPerDay ?? 3,
  });
  let sequence = 0;
  for (let day = 0; day < days; day += 1) {
    phases.begin(day);
    const drafts = draftDay(random, world, phases);
    drafts.sort((left, right) => left.second - right.second);
    yield drafts.map((draft) => finish(draft, startMs + day * DAY_MS, sequence++));
  }
}

/** The same transactions one by one. */
export function* simulate(options: SimulationOptions): Generator<Transaction> {
  for (const day of simulateDays(options)) yield* day;
}

function draftDay(random: Random, world: World, phases: FraudPhases): Draft[] {
  const drafts: Draft[] = [];
  world.cards.forEach((card, index) => {
    if (card.terminals.length === 0) return;
    for (let left = random.poisson(card.paymentsPerDay); left > 0; left -= 1) {
      const second = Math.trunc(random.normal(NOON_SECONDS, TIME_DEVIATION_SECONDS));
      // The Handbook drops what falls outside the day (3 %) instead of drawing it again.
      if (second <= 0 || second >= DAY_SECONDS) continue;
      drafts.push(draftPayment(random, world, phases, card, index, second));
    }
  });
  return drafts;
}

function draftPayment(
  random: Random,
  world: World,
  phases: FraudPhases,
  card: CardProfile,
  index: number,
  second: number,
): Draft {
  const terminal = card.terminals[random.integer(card.terminals.length)]!;
  let amount = drawAmount(random, card);
  let scenario = amount > HIGH_AMOUNT ? 1 : 0;
  if (phases.terminalCompromised(terminal)) scenario = 2;
  if (phases.cardLeaked(index) && random.next() < LEAKED_SHARE) {
    amount = cents(amount * LEAKED_FACTOR);
    scenario = 3;
  }
  return { second, card: card.name, terminal: world.terminals[terminal]!, amount, scenario };
}

function drawAmount(random: Random, card: CardProfile): number {
  const amount = random.normal(card.meanAmount, card.deviation);
  return cents(amount < 0 ? random.uniform(0, 2 * card.meanAmount) : amount);
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

function finish(draft: Draft, midnightMs: number, sequence: number): Transaction {
  const { card, terminal, amount, scenario } = draft;
  const at = midnightMs + draft.second * 1_000;
  return { id: String(sequence), at, card, terminal, amount, fraud: scenario > 0, scenario };
}
