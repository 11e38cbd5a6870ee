import { type NatsServer, startNatsCluster, startNatsServer } from '@millrace/testing/nats';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { names } from './spend-job.js';

/** One server, or a cluster of three, with the streams of the job. */
export interface ChaosServers {
  readonly urls: readonly string[];
  readonly servers: readonly NatsServer[];
  stop(): Promise<void>;
}

/** Starts servers and makes the streams; in a cluster each server has a copy of them. */
export async function startServers(size: 1 | 3): Promise<ChaosServers> {
  const running = size === 1 ? await single() : await startNatsCluster(size);
  try {
    await withConnection(running.urls, (connection) => makeStreams(connection, size));
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function single(): Promise<ChaosServers> {
  const server = await startNatsServer();
  return { urls: [server.url], servers: [server], stop: () => server.stop() };
}

async function makeStreams(connection: NatsConnection, replicas: number): Promise<void> {
  const { streams } = await jetstreamManager(connection);
  await streams.add({
    name: names.input,
    subjects: [names.inputSubject],
    num_replicas: replicas,
  });
  // Markers stay, so that they can be read at the end.
  await streams.add({
    name: names.output,
    subjects: [names.outputFilter],
    num_replicas: replicas,
    allow_atomic: true,
  });
}

/** Connects for as long as `use` takes. */
export async function withConnection<R>(
  urls: readonly string[],
  use: (connection: NatsConnection) => Promise<R>,
): Promise<R> {
  const connection = await connect({ servers: [...urls], maxReconnectAttempts: -1 });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}
