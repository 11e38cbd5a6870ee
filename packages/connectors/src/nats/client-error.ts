import { MillraceError } from '@millrace/core';
import {
  AuthorizationError,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from '@nats-io/nats-core';

/** What the client says when connecting failed, as an error that tells what to do. */
export function connectErrorOf(thrown: unknown, operator: string): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const options = { cause: thrown, operator };
  const text = thrown instanceof TimeoutError ? silence : messagesOf(thrown);
  if (isRefusal(thrown)) return new MillraceError('ERR_NATS_AUTHENTICATION', text, options);
  if (isTlsError(thrown)) return new MillraceError('ERR_NATS_TLS', text, options);
  return new MillraceError('ERR_NATS_UNREACHABLE', text, options);
}

/** The client waits for an answer even when the server has cut the connection meanwhile. */
const silence =
  'the server did not answer in time: it is paused or overloaded, or it cut the connection ' +
  'because it asks for a client certificate (tls.certFile, tls.keyFile)';

/** The server does not know or does not accept who connects; an overloaded one is not meant. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof UserAuthenticationExpiredError) return true;
  return error instanceof AuthorizationError && !/timeout/i.test(error.message);
}

/** A subject that may not be used; undefined for any other error. */
export function permissionErrorOf(error: Error, operator: string): MillraceError | undefined {
  if (!(error instanceof PermissionViolationError)) return undefined;
  const what = error.operation === 'publish' ? 'publishing to' : 'subscribing to';
  const detail = `${what} "${error.subject}"`;
  return new MillraceError('ERR_NATS_PERMISSION', detail, { cause: error, operator });
}

/** By Node's codes; the client says it when the server does not offer what is asked for. */
function isTlsError(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // A server that went down in the middle of the handshake will be back.
    if (code === 'ECONNRESET') return false;
    if (/CERT|VERIFY|ERR_TLS|ERR_SSL|EPROTO/.test(code)) return true;
    if (/\btls\b/i.test(error.message) || /doesn't exist$/.test(error.message)) return true;
  }
  return false;
}

function messagesOf(thrown: unknown): string {
  const messages: string[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (!messages.includes(error.message)) messages.push(error.message);
  }
  return messages.length === 0 ? String(thrown) : messages.join(': ');
}
