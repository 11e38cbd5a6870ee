import { DAY_MS } from '../day.js';
import {
  countOne,
  emptyCounts,
  sumCounts,
  type TrailingCounts,
  type TrailingWindow,
} from './trailing-counts.js';

const HOUR_MS = 3_600_000;
const LAST_HOUR: TrailingWindow = { slotMs: HOUR_MS / 6, slots: 6 };
const LAST_DAY: TrailingWindow = { slotMs: 3 * HOUR_MS, slots: 8 };
const LAST_WEEK: TrailingWindow = { slotMs: DAY_MS, slots: 7 };

/** How often a card pays. */
export interface PaymentRate {
  firstAt: number | undefined;
  total: number;
  readonly lastHour: TrailingCounts;
  readonly lastDay: TrailingCounts;
  readonly lastWeek: TrailingCounts;
}

/**
 * Payments in trailing windows, this one included, and the card's usual number of payments a day.
 */
export interface Velocity {
  readonly lastHour: number;
  readonly lastDay: number;
  readonly lastWeek: number;
  readonly usualPerDay: number;
}

/** A card that has not paid yet. */
export function newRate(): PaymentRate {
  return {
    firstAt: undefined,
    total: 0,
    lastHour: emptyCounts(LAST_HOUR),
    lastDay: emptyCounts(LAST_DAY),
    lastWeek: emptyCounts(LAST_WEEK),
  };
}

/** A copy that shares nothing that changes. */
export function copyRate({ lastHour, lastDay, lastWeek, ...rate }: PaymentRate): PaymentRate {
  return {
    ...rate,
    lastHour: lastHour.slice(),
    lastDay: lastDay.slice(),
    lastWeek: lastWeek.slice(),
  };
}

/** Counts a payment. `atMs` never goes back. */
export function countPayment(rate: PaymentRate, atMs: number): void {
  rate.firstAt ??= atMs;
  rate.total += 1;
  countOne(rate.lastHour, LAST_HOUR, atMs);
  countOne(rate.lastDay, LAST_DAY, atMs);
  countOne(rate.lastWeek, LAST_WEEK, atMs);
}

/** Two payments a day are assumed until a card's first days show its own rate. */
export function velocityOf(rate: PaymentRate, atMs: number): Velocity {
  const knownDays = (atMs - (rate.firstAt ?? atMs)) / DAY_MS;
  return {
    lastHour: sumCounts(rate.lastHour, LAST_HOUR, atMs),
    lastDay: sumCounts(rate.lastDay, LAST_DAY, atMs),
    lastWeek: sumCounts(rate.lastWeek, LAST_WEEK, atMs),
    usualPerDay: (rate.total + 2) / (knownDays + 1),
  };
}
