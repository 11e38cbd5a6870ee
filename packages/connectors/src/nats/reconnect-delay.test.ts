import { expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import { reconnectDelayMs } from './reconnect-delay.js';

const { natsReconnectMinMs: min, natsReconnectMaxMs: max } = connectorLimits;

test.each([
  ['at once', 0, min],
  ['after a second', 1_000, 500],
  ['after an hour', 3_600_000, max],
])('the pause grows with the outage, within limits: %s', (_name, elapsedMs, middle) => {
  expect(reconnectDelayMs(elapsedMs, 0.5)).toBe(middle);
  expect(reconnectDelayMs(elapsedMs, 0)).toBe(middle / 2);
  expect(reconnectDelayMs(elapsedMs, 0.999_999)).toBeCloseTo(middle * 1.5, 0);
});
