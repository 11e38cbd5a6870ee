import type { Env, SourceContext } from '@millrace/core/spi';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';
import { connectorLimits } from '../limits.js';
import { connectErrorOf } from './client-error.js';
import { assertNatsSettings, connectionOptions } from './connection-options.js';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { SharedConnections } from './shared-connections.js';
import { Outage, WatchedConnection } from './watched-connection.js';

/** Sources and sinks never share a connection: a flood of one must not hold back the other. */
export type NatsPlane = 'source' | 'sink';

/** By Env, so that jobs and tests in one process share nothing. */
const connectionsOf = new WeakMap<Env, SharedConnections>();

/**
 * Connects, or joins the connection that another subtask of this operator has opened. The first
 * attempt is repeated for 30 s; later the connection is made anew for ever, with growing pauses.
 *
 * @throws ERR_NATS_UNREACHABLE, ERR_NATS_TLS, ERR_NATS_AUTHENTICATION, ERR_SECRET_MISSING,
 * ERR_INVALID_OPTION
 * @example
 * const link = await openNats({ servers: 'nats.example:4222' }, context, 'sink');
 * await link.whenOpen();
 * link.connection.publish('alerts', '…');
 * await link.close();
 */
export function openNats(
  settings: NatsSettings,
  context: SourceContext,
  plane: NatsPlane,
): Promise<NatsLink> {
  const connections = connectionsOf.get(context.env) ?? new SharedConnections();
  connectionsOf.set(context.env, connections);
  const name = `${context.operatorId}-${plane}`;
  return connections.join(`${name} ${JSON.stringify(settings)}`, () =>
    openWatched(settings, context, name),
  );
}

async function openWatched(
  settings: NatsSettings,
  context: SourceContext,
  name: string,
): Promise<WatchedConnection> {
  assertNatsSettings(settings);
  const { env } = context;
  const outage = new Outage(env);
  const options = connectionOptions(settings, name, () =>
    reconnectDelayMs(outage.lastingMs(), env.random.next()),
  );
  const connection = await firstConnection(options, context);
  return new WatchedConnection(connection, context, outage);
}

/** The client itself tries each server once, and for ever only after it was connected. */
async function firstConnection(
  options: NodeConnectionOptions,
  { env, operatorId }: SourceContext,
): Promise<NatsConnection> {
  const begun = env.clock.monotonicMs();
  for (;;) {
    try {
      return await connect(options);
    } catch (thrown) {
      const error = connectErrorOf(thrown, operatorId);
      const elapsedMs = env.clock.monotonicMs() - begun;
      if (!error.retryable || elapsedMs >= connectorLimits.natsFirstConnectMs) throw error;
      if (elapsedMs === 0) env.log.log('warn', error.message);
      await wait(env, reconnectDelayMs(elapsedMs, env.random.next()));
    }
  }
}

const wait = (env: Env, ms: number): Promise<void> =>
  new Promise((resolve) => env.scheduler.after(ms, resolve));
