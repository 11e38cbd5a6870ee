import { expect, test } from 'vitest';
import { expectedRows, paymentOf, paymentsPerSecond, windowMs, windowSlideMs } from './payments.js';

test('each payment counts in as many windows as overlap', () => {
  const rows = expectedRows(3 * paymentsPerSecond);
  const counted = rows.reduce((sum, { n }) => sum + n, 0);
  expect(counted).toBe((3 * paymentsPerSecond * windowMs) / windowSlideMs);
});

test('a row has what its card spent in its window', () => {
  const count = 5 * paymentsPerSecond;
  const [{ card, start, n, total }] = expectedRows(count).slice(-1) as [
    ReturnType<typeof expectedRows>[number],
  ];
  const own = Array.from({ length: count }, (_, number) => paymentOf(number)).filter(
    (payment) => payment.card === card && payment.at >= start && payment.at < start + windowMs,
  );
  expect([n, total]).toEqual([own.length, own.reduce((sum, { amount }) => sum + amount, 0)]);
});
