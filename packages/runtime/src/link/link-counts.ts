import type { Refusal } from './datagram-codec.js';

/** What a link has done so far, for metrics and for the text of its failure. */
export interface LinkCounts {
  framesSent: number;
  framesReceived: number;
  /** All kinds, also those sent again. */
  datagramsSent: number;
  /** Datagrams with data that were sent again. */
  datagramsResent: number;
  /** Times the peer had missed something. */
  gaps: number;
  probes: number;
  /** Datagrams that had arrived before. */
  duplicates: number;
  /** Datagrams never acted on. */
  refused: Record<Refusal, number>;
}

export function newLinkCounts(): LinkCounts {
  return {
    framesSent: 0,
    framesReceived: 0,
    datagramsSent: 0,
    datagramsResent: 0,
    gaps: 0,
    probes: 0,
    duplicates: 0,
    refused: { malformed: 0, version: 0, attempt: 0, addresses: 0, checksum: 0, window: 0 },
  };
}

/** For people: `'3 attempt, 1 checksum'`, or `'none'`. */
export function describeRefused({ refused }: LinkCounts): string {
  const parts = Object.entries(refused).filter(([, count]) => count > 0);
  return parts.map(([reason, count]) => `${count} ${reason}`).join(', ') || 'none';
}
