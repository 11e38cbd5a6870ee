import { connectorLimits } from '../limits.js';

/**
 * How long to wait until the next attempt to connect, ms: half the time that has passed so far,
 * within limits, plus or minus half of that so that workers do not come back all at once.
 *
 * @param elapsedMs since the connection broke, or since the first attempt
 * @param random uniform in [0, 1)
 */
export function reconnectDelayMs(elapsedMs: number, random: number): number {
  const { natsReconnectMinMs, natsReconnectMaxMs } = connectorLimits;
  const middle = Math.min(natsReconnectMaxMs, Math.max(natsReconnectMinMs, elapsedMs / 2));
  return Math.round(middle * (0.5 + random));
}
