/*
 * One dollar is 0.908 euro, so a price of 2500 k + r is 2270 k + r × 0.908 euro. The text has its
 * last whole digit and the fraction from a table by r, and the digits before from tables of four:
 * joining at most three pieces is faster than turning a number of this size to text, and no step
 * leaves the whole numbers.
 */
const period = 2_500;
const tensPerPeriod = 227;

/** Thousandths of a euro of each r. */
const thousandths = Array.from({ length: period }, (_, r) => r * 908);
const tensOfRest = Int32Array.from(thousandths, (n) => Math.floor(n / 10_000));
const endOfRest = thousandths.map((n) => ((n % 10_000) / 1_000).toFixed(3));

const digits = Array.from({ length: 10_000 }, (_, n) => String(n));
const paddedDigits = digits.map((text) => text.padStart(4, '0'));

/** `price` × 0.908, exact, as a text with three places; for whole prices of 0 … 2³¹ − 1. */
export function euroText(price: number): string {
  const periods = (price / period) | 0;
  const rest = price - periods * period;
  const tens = periods * tensPerPeriod + tensOfRest[rest]!;
  const end = endOfRest[rest]!;
  if (tens === 0) return end;
  if (tens < 10_000) return digits[tens]! + end;
  const upper = (tens / 10_000) | 0;
  const lower = paddedDigits[tens - upper * 10_000]!;
  return (upper < 10_000 ? digits[upper]! : String(upper)) + lower + end;
}

// The amounts 1,000,000 and 50,000,000 as prices, so that comparing needs no multiplication.
const priceAbove = Math.floor(1_000_000_000 / 908);
const priceBelow = Math.ceil(50_000_000_000 / 908);

/** Whether 1,000,000 < `price` × 0.908 < 50,000,000. */
export function isMiddlingPrice(price: number): boolean {
  return price > priceAbove && price < priceBelow;
}
