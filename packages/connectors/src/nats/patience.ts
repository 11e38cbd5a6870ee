import { MillraceError } from '@millrace/core';
import type { SinkContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { NatsLink } from './nats-link.js';

/**
 * Waits between tries, longer each time, and for how long in all. A time without a connection does
 * not count: the connection is tried for ever.
 */
export class Patience {
  private readonly context: Pick<SinkContext, 'env' | 'log' | 'operatorId'>;
  private readonly link: NatsLink;
  private sinceMs: number | undefined;
  private tries = 0;

  constructor(link: NatsLink, context: Pick<SinkContext, 'env' | 'log' | 'operatorId'>) {
    this.link = link;
    this.context = context;
  }

  /** Something has worked: the time counts from the next trouble. */
  begin(): void {
    this.sinceMs = undefined;
  }

  /**
   * Waits until it is worth trying once more.
   *
   * @throws MillraceError ERR_SINK_FAILED with `why` when it has been tried for too long; why the
   *   link failed
   */
  async wait(why: string): Promise<void> {
    const { env, log, operatorId } = this.context;
    if (!this.link.isOpen()) {
      await this.link.whenOpen();
      this.sinceMs = undefined;
      return;
    }
    const nowMs = env.clock.monotonicMs();
    if (this.sinceMs === undefined) {
      this.sinceMs = nowMs;
      this.tries = 0;
      log.log('info', 'publishing is tried again', { operator: operatorId, why });
    }
    const elapsedMs = nowMs - this.sinceMs;
    if (elapsedMs > connectorLimits.natsPublishPatienceMs) {
      const detail = `not published for ${Math.round(elapsedMs / 1_000)} s: ${why}`;
      throw new MillraceError('ERR_SINK_FAILED', detail, { operator: operatorId });
    }
    const { natsRetryMinMs, natsRetryMaxMs } = connectorLimits;
    const middle = Math.min(natsRetryMaxMs, natsRetryMinMs * 2 ** this.tries);
    this.tries += 1;
    const delayMs = middle * (0.5 + env.random.next());
    await new Promise<void>((resolve) => env.scheduler.after(delayMs, resolve));
  }
}
