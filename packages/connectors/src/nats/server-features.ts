import type { NatsLink } from './nats-link.js';

/** What a server of JetStream may be able to do, by the name used here. */
export type NatsFeature = 'messageTtl' | 'atomicBatch' | 'fastBatch';

/** What the server that a link is connected to can do. */
export interface ServerFeatures {
  /** e.g. `2.14.9`. */
  readonly version: string;
  /** Level of the JetStream API as the server reports it. */
  readonly apiLevel: number;
  has(feature: NatsFeature): boolean;
}

/**
 * Asks the server what it can do.
 *
 * @throws ERR_NATS_NO_JETSTREAM, ERR_NATS_SERVER_TOO_OLD naming the version that is needed
 */
export async function requireJetStream(
  _link: NatsLink,
  _need: readonly NatsFeature[],
): Promise<ServerFeatures> {
  throw new Error('not yet');
}
