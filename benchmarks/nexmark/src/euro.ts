/*
 * One dollar is 0.908 euro, so with price = 250 k + r the amount is 227 k + r × 0.908: the part
 * of r comes from a table, and no step leaves the whole numbers.
 */
const period = 250;
const wholePerPeriod = 227;
const wholeOfRest = Int32Array.from({ length: period }, (_, r) => Math.floor((r * 908) / 1000));
const fractionOfRest = Array.from(
  { length: period },
  (_, r) => `.${String((r * 908) % 1000).padStart(3, '0')}`,
);

/** `price` × 0.908, exact, as a text with three places; for whole prices of 0 … 2³¹ − 1. */
export function euroText(price: number): string {
  const periods = (price / period) | 0;
  const rest = price - periods * period;
  return periods * wholePerPeriod + wholeOfRest[rest]! + fractionOfRest[rest]!;
}
