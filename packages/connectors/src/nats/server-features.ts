import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';
import type { NatsLink } from './nats-link.js';

/** What a server of JetStream may be able to do, by the name used here. */
export type NatsFeature = keyof typeof featureLevels;

/** What the server that a link is connected to can do. */
export interface ServerFeatures {
  /** e.g. `2.14.9`. */
  readonly version: string;
  /** Level of the JetStream API as the server reports it. */
  readonly apiLevel: number;
  has(feature: NatsFeature): boolean;
}

/** From which level of the API on, and the first version that has that level. */
const featureLevels = {
  /** Messages that expire one by one. */
  messageTtl: { level: 1, version: '2.11' },
  /** Several messages stored together or not at all. */
  atomicBatch: { level: 2, version: '2.12' },
  /** Many messages with one acknowledgement now and then. */
  fastBatch: { level: 4, version: '2.14' },
} as const;

/**
 * Asks the server what it can do. An older server ignores what it does not know without a word, so
 * the configuration of a stream that was created must be read back besides.
 *
 * @throws ERR_NATS_NO_JETSTREAM, ERR_NATS_SERVER_TOO_OLD naming the version that is needed
 */
export async function requireJetStream(
  link: NatsLink,
  need: readonly NatsFeature[],
): Promise<ServerFeatures> {
  const { connection } = link;
  const info = await accountInfo(link);
  if (info.error !== undefined) {
    throw new MillraceError('ERR_NATS_NO_JETSTREAM', info.error.description);
  }
  const features = featuresOf(connection.info?.version ?? 'unknown', info.api?.level ?? 0);
  for (const feature of need) requireFeature(features, feature);
  return features;
}

/** From what a server reports; one before 2.11 reports no level, which counts as 0. */
export function featuresOf(version: string, apiLevel: number): ServerFeatures {
  return { version, apiLevel, has: (feature) => apiLevel >= featureLevels[feature].level };
}

/** @throws ERR_NATS_SERVER_TOO_OLD naming the version that is needed */
export function requireFeature(features: ServerFeatures, feature: NatsFeature): void {
  if (features.has(feature)) return;
  const { level, version } = featureLevels[feature];
  throw new MillraceError(
    'ERR_NATS_SERVER_TOO_OLD',
    `${feature} needs nats-server ${version} or later (API level ${level}); ` +
      `this is ${features.version} (level ${features.apiLevel})`,
  );
}

interface AccountInfo {
  readonly api?: { readonly level?: number };
  readonly error?: { readonly description: string };
}

async function accountInfo(link: NatsLink): Promise<AccountInfo> {
  try {
    const timeout = connectorLimits.natsApiTimeoutMs;
    const answer = await link.connection.request('$JS.API.INFO', '', { timeout });
    return answer.json<AccountInfo>();
  } catch (error) {
    // A refused subject has failed the link, which says more than the request that timed out.
    if (link.failed !== undefined) throw link.failed;
    throw new MillraceError('ERR_NATS_NO_JETSTREAM', String(error), { cause: error });
  }
}
