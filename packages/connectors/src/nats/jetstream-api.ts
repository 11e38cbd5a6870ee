import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';
import type { NatsLink } from './nats-link.js';

/** Why JetStream refused a request. */
export interface ApiError {
  /** As in HTTP; 503: no leader, or no resources, now. */
  readonly code: number;
  /** Stable over versions; the description is not. */
  readonly err_code: number;
  readonly description: string;
}

/** What JetStream answers, if it is not an error. */
export type ApiAnswer<T> = Partial<T> & { readonly error?: ApiError };

/** Error codes that decide something. */
export const apiErrorCodes = {
  streamNotFound: 10_059,
  messageNotFound: 10_037,
  consumerNotFound: 10_014,
} as const;

/**
 * Asks `$JS.API.<subject>`.
 *
 * @param timeout for the answer, ms
 * @throws why the link failed; ERR_NATS_NO_JETSTREAM when there is no answer in time
 */
export async function askJetStream<T>(
  link: NatsLink,
  subject: string,
  body?: unknown,
  timeout: number = connectorLimits.natsApiTimeoutMs,
): Promise<ApiAnswer<T>> {
  const payload = body === undefined ? '' : JSON.stringify(body);
  try {
    const answer = await link.connection.request(`$JS.API.${subject}`, payload, { timeout });
    return answer.json<ApiAnswer<T>>();
  } catch (cause) {
    // A refused subject has failed the link, which says more than the request that timed out.
    if (link.failed !== undefined) throw link.failed;
    throw new MillraceError('ERR_NATS_NO_JETSTREAM', `${subject}: ${String(cause)}`, { cause });
  }
}

/** The error of an answer, as one that may pass by itself or one that does not. */
export function apiErrorOf(error: ApiError, what: string): MillraceError {
  const detail = `${what}: ${error.description} (${error.err_code})`;
  return new MillraceError(
    error.code === 503 ? 'ERR_NATS_NO_JETSTREAM' : 'ERR_SOURCE_FAILED',
    detail,
  );
}
