/** Real NATS servers for tests. Needs Node and a nats-server program; nothing else here does. */

export { findNatsServer, natsSkipReason } from './find-nats-server.js';
export type { NatsCluster, NatsClusterOptions } from './nats-cluster.js';
export { startNatsCluster } from './nats-cluster.js';
export type { KillSignal, NatsServer, NatsServerOptions } from './nats-server.js';
export { startNatsServer } from './nats-server.js';
