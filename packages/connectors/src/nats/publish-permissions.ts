import type { SinkContext } from '@millrace/core/spi';
import { connect } from '@nats-io/transport-node';
import { connectorLimits } from '../limits.js';
import { connectionOptions } from './connection-options.js';
import { takesSubject } from './message-subject.js';
import type { NatsSettings } from './nats-settings.js';

/** Whether whoever is connected may publish to a subject, as far as the server tells. */
export type PublishPermission = (subject: string) => boolean;

/**
 * Asks the server what may be published, over a connection of its own: a user who may not even ask
 * would lose the one in use. What is not told counts as allowed; the server says no later.
 */
export async function readPublishPermission(
  settings: NatsSettings,
  { operatorId, log }: Pick<SinkContext, 'operatorId' | 'log'>,
): Promise<PublishPermission> {
  try {
    const options = connectionOptions(settings, `${operatorId}-permissions`, () => 0);
    const connection = await connect({ ...options, maxReconnectAttempts: 0 });
    try {
      const timeout = connectorLimits.natsApiTimeoutMs;
      const answer = await connection.request('$SYS.REQ.USER.INFO', '', { timeout });
      const { data } = answer.json<{ readonly data?: UserInfo }>();
      return permissionOf(data?.permissions?.publish ?? {});
    } finally {
      await connection.close();
    }
  } catch (error) {
    const fields = { operator: operatorId, error: String(error) };
    log.log('debug', 'what may be published is not told', fields);
    return () => true;
  }
}

interface UserInfo {
  readonly permissions?: { readonly publish?: SubjectLists };
}

interface SubjectLists {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** What is denied is denied; without a list of what is allowed everything else is. */
export function permissionOf({ allow = [], deny = [] }: SubjectLists): PublishPermission {
  const isIn = (filters: readonly string[], subject: string): boolean =>
    filters.some((filter) => takesSubject(filter, subject));
  return (subject) => !isIn(deny, subject) && (allow.length === 0 || isIn(allow, subject));
}
