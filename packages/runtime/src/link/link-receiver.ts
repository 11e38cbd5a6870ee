import type { DatagramHeader } from './datagram-codec.js';
import type { LinkCounts } from './link-counts.js';
import type { LinkLimits } from './link-limits.js';

/**
 * The receiving half of a link: decides what is delivered, and what the peer is told.
 *
 * Laws: the datagram after the last one is taken and no other one. What is acknowledged has been
 * taken before. A gap is reported once for each round of the sender; a report that is lost is made
 * up for by the sender's probe.
 */
export class LinkReceiver {
  private readonly limits: LinkLimits;
  private readonly counts: LinkCounts;
  private receivedUpTo = 0;
  private brokenBy: string | undefined;
  /** A frame that comes in several datagrams. */
  private partial: Uint8Array | undefined;
  private missingBytes = 0;
  // What is owed to the peer
  private owedDatagrams = 0;
  private owedBytes = 0;
  private ackAtMs = Number.POSITIVE_INFINITY;
  private isReportOwed = false;
  private seenSequence = 0;
  private seenRound = 0;
  // The gap that was reported last
  private gapAfter = -1;
  private gapRound = -1;

  constructor(limits: LinkLimits, counts: LinkCounts) {
    this.limits = limits;
    this.counts = counts;
  }

  /** All datagrams up to this one have arrived. */
  get received(): number {
    return this.receivedUpTo;
  }
  /** When an acknowledgement has to be sent by itself; infinite if none is owed. */
  get ackDueMs(): number {
    return this.ackAtMs;
  }
  /** Whether the peer is to be told at once what is here. */
  get isReportDue(): boolean {
    return this.isReportOwed;
  }
  /** The datagram that called for the report, and its round. */
  get seen(): number {
    return this.seenSequence;
  }
  get round(): number {
    return this.seenRound;
  }
  /** Why nothing more can be received; undefined while all is well. */
  get broken(): string | undefined {
    return this.brokenBy;
  }
  /** Bytes held for a frame that is not whole. */
  get partialBytes(): number {
    return this.partial?.length ?? 0;
  }

  /** Takes a datagram with data. Gives the frame that is whole with it. */
  data(header: DatagramHeader, payload: Uint8Array, nowMs: number): Uint8Array | undefined {
    const { sequence, round } = header;
    if (sequence === this.receivedUpTo + 1) {
      this.receivedUpTo = sequence;
      this.owe(payload.length, nowMs);
      const frame = this.join(payload, header.restBytes);
      if (frame !== undefined) this.counts.framesReceived += 1;
      return frame;
    }
    if (sequence <= this.receivedUpTo) {
      this.counts.duplicates += 1;
      this.owe(0, nowMs);
    } else if (sequence > this.receivedUpTo + this.limits.windowDatagramsMax) {
      this.counts.refused.window += 1;
    } else if (this.gapAfter !== this.receivedUpTo || this.gapRound !== round) {
      this.gapAfter = this.receivedUpTo;
      this.gapRound = round;
      this.probed(sequence, round);
    }
    return undefined;
  }

  /** The peer is to be told what is here. */
  probed(sequence: number, round: number): void {
    this.isReportOwed = true;
    this.seenSequence = sequence;
    this.seenRound = round;
  }

  /** A datagram is sent, and any carries the acknowledgement. */
  acknowledged(): void {
    this.owedDatagrams = 0;
    this.owedBytes = 0;
    this.ackAtMs = Number.POSITIVE_INFINITY;
  }

  /** The report is sent. */
  reported(): void {
    this.isReportOwed = false;
  }

  private owe(bytes: number, nowMs: number): void {
    this.owedDatagrams += 1;
    this.owedBytes += bytes;
    const { ackDatagrams, ackBytes, ackDelayMs } = this.limits;
    if (this.owedDatagrams >= ackDatagrams || this.owedBytes >= ackBytes) this.ackAtMs = nowMs;
    else if (this.ackAtMs > nowMs + ackDelayMs) this.ackAtMs = nowMs + ackDelayMs;
  }

  private join(payload: Uint8Array, restBytes: number): Uint8Array | undefined {
    if (this.partial === undefined) {
      if (restBytes === 0) return payload;
      const length = payload.length + restBytes;
      if (length > this.limits.frameBytesMax) {
        this.brokenBy = `a frame of ${length} bytes was announced`;
        return undefined;
      }
      this.partial = new Uint8Array(length);
      this.missingBytes = length;
    }
    const { partial } = this;
    if (payload.length + restBytes !== this.missingBytes) {
      this.brokenBy = `${payload.length} bytes do not continue a frame of ${partial.length}`;
      return undefined;
    }
    partial.set(payload, partial.length - this.missingBytes);
    this.missingBytes = restBytes;
    if (restBytes > 0) return undefined;
    this.partial = undefined;
    return partial;
  }
}
