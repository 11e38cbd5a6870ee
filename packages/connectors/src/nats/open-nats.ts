import type { SourceContext } from '@millrace/core/spi';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';

/** Sources and sinks never share a connection: a flood of one must not hold back the other. */
export type NatsPlane = 'source' | 'sink';

/**
 * Connects, or joins the connection that another subtask of this operator has opened.
 *
 * @throws ERR_NATS_UNREACHABLE, ERR_NATS_AUTHENTICATION, ERR_SECRET_MISSING, ERR_INVALID_OPTION
 */
export async function openNats(
  _settings: NatsSettings,
  _context: SourceContext,
  _plane: NatsPlane,
): Promise<NatsLink> {
  throw new Error('not yet');
}
