import {
  LoopbackServer,
  type NatsServer,
  type NatsServerOptions,
  withFreePorts,
} from './nats-server.js';

/** Servers that replicate one another's streams. */
export interface NatsCluster {
  /** Named `n1`, `n2`, …: a stream's leader is reported by that name. */
  readonly servers: readonly NatsServer[];
  readonly urls: readonly string[];
  /** Ends all for good and removes their folders. */
  stop(): Promise<void>;
}

export type NatsClusterOptions = NatsServerOptions;

/** Ports of a server: clients, health page, routes. */
const portsEach = 3;

/**
 * Starts a cluster on loopback and waits until it has elected its leader. Three servers bear the
 * loss of one.
 *
 * @throws ERR_TEST_KIT with the end of a server's log when it does not come up
 */
export function startNatsCluster(
  size: number,
  options: NatsClusterOptions = {},
): Promise<NatsCluster> {
  return withFreePorts(size * portsEach, async (ports) => {
    const routePorts = ports.slice(0, size);
    const servers = routePorts.map(
      (routePort, index) =>
        new LoopbackServer(options, {
          name: `n${index + 1}`,
          port: ports[size + index]!,
          monitorPort: ports[2 * size + index]!,
          cluster: { port: routePort, routePorts },
        }),
    );
    await servers[0]!.startAll(servers);
    return {
      servers,
      urls: servers.map(({ url }) => url),
      stop: async () => {
        await Promise.all(servers.map((server) => server.stop()));
      },
    };
  });
}
