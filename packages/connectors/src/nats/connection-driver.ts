import type { Env } from '@millrace/core/spi';
import { manualTime, type TestContext, testContext } from '../reading/reader-driver.js';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import { type NatsPlane, openNats } from './open-nats.js';

/** Real time, as the client has its own: for tests with a real server. */
export function realEnv(): Env {
  return {
    ...manualTime().env,
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    scheduler: {
      yield: () => new Promise((resolve) => setImmediate(resolve)),
      after(delayMs, action) {
        const timer = setTimeout(action, delayMs);
        return { cancel: () => clearTimeout(timer) };
      },
    },
  };
}

/** Opens a link, gives it to `use` and closes it, whatever happens. */
export async function withLink(
  settings: NatsSettings,
  use: (link: NatsLink, context: TestContext) => Promise<void>,
  plane: NatsPlane = 'source',
): Promise<void> {
  const context = testContext(realEnv());
  const link = await openNats(settings, context, plane);
  try {
    await use(link, context);
  } finally {
    await link.close();
  }
}

export const failureOf = (link: NatsLink): Promise<unknown> =>
  new Promise((resolve) => link.onFailure(resolve));

export const gapOf = (link: NatsLink): Promise<void> =>
  new Promise((resolve) => link.onGap(resolve));
