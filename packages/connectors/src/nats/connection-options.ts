import { MillraceError } from '@millrace/core';
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/nats-core';
import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { connectorLimits } from '../limits.js';
import { refuseOption } from '../option-checks.js';
import type { NatsAuth, NatsSettings } from './nats-settings.js';
import { assertSecretReference, secretReader } from './secret-reference.js';

/**
 * Refuses settings that hold a secret: they would be in the job's fingerprint and in `describe`.
 *
 * @throws ERR_INVALID_OPTION
 */
export function assertNatsSettings({ servers, auth }: NatsSettings): void {
  for (const server of serverList(servers)) {
    if (server.includes('@')) {
      refuseOption('servers', 'an address holds no user and no password; they belong into auth');
    }
    if (server.trim() === '' || /^wss?:/.test(server)) {
      refuseOption('servers', `"${server}" is no address such as nats://host:4222`);
    }
  }
  if (auth === undefined) return;
  const [name, reference] = secretOf(auth);
  assertSecretReference(`auth.${name}`, reference);
}

/**
 * What the client is told. Its defaults give up after ten attempts, notice a server that has gone
 * silent after four minutes, and give up when a server refuses twice.
 *
 * @throws ERR_SECRET_MISSING, ERR_NATS_AUTHENTICATION when the secret is not of its form
 */
export function connectionOptions(
  settings: NatsSettings,
  name: string,
  reconnectDelayMs: () => number,
): NodeConnectionOptions {
  const { auth, tls, inboxPrefix } = settings;
  const servers = serverList(settings.servers);
  return {
    ...(servers.length === 0 ? {} : { servers }),
    name: settings.name ?? name,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: reconnectDelayMs,
    pingInterval: connectorLimits.natsPingIntervalMs,
    maxPingOut: connectorLimits.natsPingsUnansweredMax,
    timeout: connectorLimits.natsConnectTimeoutMs,
    // Renewed secrets take effect at the next attempt, so what is refused now is tried again.
    ignoreAuthErrorAbort: true,
    ...(auth === undefined ? {} : { authenticator: authenticatorOf(auth) }),
    ...(tls === undefined ? {} : { tls: definedOf(tls) }),
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
  };
}

function serverList(servers: NatsSettings['servers']): string[] {
  if (servers === undefined) return [];
  return typeof servers === 'string' ? [servers] : [...servers];
}

function secretOf(auth: NatsAuth): readonly [name: string, reference: unknown] {
  for (const name of ['token', 'password', 'nkeySeed', 'creds']) {
    if (name in auth) return [name, (auth as unknown as Record<string, unknown>)[name]];
  }
  return refuseOption('auth', 'auth has none of token, password, nkeySeed and creds');
}

function authenticatorOf(auth: NatsAuth): Authenticator {
  const authenticator = unchecked(auth);
  try {
    // Inside the client a seed or a file that cannot be read would close the connection later.
    authenticator('probe');
  } catch (error) {
    const [name] = secretOf(auth);
    throw new MillraceError('ERR_NATS_AUTHENTICATION', `auth.${name} cannot be used`, {
      cause: error,
      field: `auth.${name}`,
    });
  }
  return authenticator;
}

function unchecked(auth: NatsAuth): Authenticator {
  const encoder = new TextEncoder();
  if ('token' in auth) return tokenAuthenticator(secretReader('auth.token', auth.token));
  if ('user' in auth) {
    const password = secretReader('auth.password', auth.password);
    return usernamePasswordAuthenticator(auth.user, password);
  }
  if ('nkeySeed' in auth) {
    const seed = secretReader('auth.nkeySeed', auth.nkeySeed);
    return nkeyAuthenticator(() => encoder.encode(seed()));
  }
  const creds = secretReader('auth.creds', auth.creds);
  // The client looks for the line break behind the last mark.
  return credsAuthenticator(() => encoder.encode(`${creds()}\n`));
}

/** Without the keys that are undefined: the client would take them for set. */
function definedOf<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const defined = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(defined) as { [K in keyof T]: Exclude<T[K], undefined> };
}
