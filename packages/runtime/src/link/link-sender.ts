import { MillraceError } from '@millrace/core';
import type { DatagramHeader } from './datagram-codec.js';
import type { LinkCounts } from './link-counts.js';
import type { LinkLimits } from './link-limits.js';
import { type Piece, RetransmitBuffer } from './retransmit-buffer.js';

/**
 * Whether data may be sent. `syncing`: the transport is connected and the peer has not said yet
 * what it has; a link begins like that, and again after each time without a connection.
 */
export type Gate = 'closed' | 'syncing' | 'open';

/**
 * The sending half of a link: decides what is sent when. Go-back-N: the receiver keeps nothing that
 * arrives after a gap, so what follows it is sent again.
 *
 * Laws: what is not acknowledged is kept. `acknowledged ≤ sent ≤ last`, and never more than the
 * window lies between the first two. A report is acted on in the round that called for it alone,
 * so one gap makes the sender go back once, however many reports of it arrive.
 */
export class LinkSender {
  readonly buffer: RetransmitBuffer;
  private readonly limits: LinkLimits;
  private readonly counts: LinkCounts;
  private readonly payloadBytesMax: number;
  private gateNow: Gate = 'closed';
  private isFullNow = false;
  private isRoomUntold = false;
  private framesBeyondRoom = 0;
  private acknowledgedUpTo = 0;
  private sentUpTo = 0;
  private nextSequence = 1;
  private roundNow = 0;
  /** Datagrams that may be on their way; less than its limit while many are lost. */
  private window: number;
  private probeMs: number;
  private probeAtMs = Number.POSITIVE_INFINITY;
  /** When something was acknowledged, or there was something to be acknowledged at last. */
  private progressAtMs = 0;

  constructor(
    limits: LinkLimits,
    counts: LinkCounts,
    payloadBytesMax: number,
    buffer = new RetransmitBuffer(),
  ) {
    if (payloadBytesMax <= 0) {
      throw new MillraceError('ERR_INVARIANT', 'a datagram has no room behind its header');
    }
    this.limits = limits;
    this.counts = counts;
    this.payloadBytesMax = payloadBytesMax;
    this.buffer = buffer;
    this.window = limits.windowDatagramsMax;
    this.probeMs = limits.probeMs;
  }

  get gate(): Gate {
    return this.gateNow;
  }
  get isFull(): boolean {
    return this.isFullNow;
  }
  get acknowledged(): number {
    return this.acknowledgedUpTo;
  }
  /** The last datagram that was sent at least once. */
  get sent(): number {
    return this.sentUpTo;
  }
  get round(): number {
    return this.roundNow;
  }
  /** When to probe; infinite while there is nothing to ask. */
  get probeDueMs(): number {
    return this.gateNow === 'closed' ? Number.POSITIVE_INFINITY : this.probeAtMs;
  }
  /** When the link fails, unless something is acknowledged before. */
  get stallDueMs(): number {
    return this.buffer.count === 0
      ? Number.POSITIVE_INFINITY
      : this.progressAtMs + this.limits.stallMs;
  }

  /** @throws MillraceError `ERR_INVARIANT` for a frame too large, or far more than there is room for */
  take(frame: Uint8Array<ArrayBuffer>, nowMs: number): void {
    this.assertTakes(frame);
    if (this.buffer.count === 0) {
      this.progressAtMs = nowMs;
      this.probeAtMs = this.gateNow === 'open' ? nowMs + this.probeMs : nowMs;
    }
    let from = 0;
    do {
      const to = Math.min(frame.length, from + this.payloadBytesMax);
      this.buffer.push({ frame, from, to });
      from = to;
    } while (from < frame.length);
    this.counts.framesSent += 1;
    if (
      this.buffer.bytes >= this.limits.bufferBytesMax ||
      this.buffer.count >= this.limits.windowDatagramsMax
    ) {
      this.isFullNow = true;
      this.isRoomUntold = false;
    }
  }

  /** The datagram to send next. It counts as sent; undefined if it has to wait. */
  next(): Piece | undefined {
    if (this.gateNow !== 'open' || this.nextSequence > this.buffer.last) return undefined;
    if (this.nextSequence > this.acknowledgedUpTo + this.window) return undefined;
    const piece = this.buffer.at(this.nextSequence);
    if (this.nextSequence > this.sentUpTo) this.sentUpTo = this.nextSequence;
    else this.counts.datagramsResent += 1;
    this.nextSequence += 1;
    return piece;
  }

  /** The number of what {@link next} gave last. */
  get nextSent(): number {
    return this.nextSequence - 1;
  }

  /** All up to `upTo` has arrived. False: it was never sent, so somebody else answers. */
  acknowledge(upTo: number, nowMs: number): boolean {
    if (upTo > this.sentUpTo) return false;
    if (upTo <= this.acknowledgedUpTo) return true;
    const { windowDatagramsMax, probeMs } = this.limits;
    this.buffer.release(upTo);
    this.window = Math.min(windowDatagramsMax, this.window + upTo - this.acknowledgedUpTo);
    this.acknowledgedUpTo = upTo;
    if (this.nextSequence <= upTo) this.nextSequence = upTo + 1;
    this.progressAtMs = nowMs;
    this.probeMs = probeMs;
    this.probeAtMs = this.buffer.count === 0 ? Number.POSITIVE_INFINITY : nowMs + probeMs;
    this.makeRoom();
    return true;
  }

  /** The peer has said what it has; its acknowledgement was taken before. */
  report({ acknowledged, sequence, round }: DatagramHeader, nowMs: number): void {
    if (round !== this.roundNow || this.gateNow === 'closed') return;
    if (this.gateNow === 'syncing') {
      this.gateNow = 'open';
      this.probeMs = this.limits.probeMs;
      if (this.buffer.count > 0) this.probeAtMs = nowMs + this.probeMs;
    }
    // An acknowledgement that came by another way may have overtaken it.
    if (sequence > acknowledged && acknowledged === this.acknowledgedUpTo) this.goBack();
  }

  connected(nowMs: number): void {
    this.gateNow = 'syncing';
    // Only a report that was called for from now on opens the gate.
    this.nextRound();
    this.probeMs = this.limits.probeMs;
    this.probeAtMs = this.buffer.count === 0 ? Number.POSITIVE_INFINITY : nowMs;
  }

  disconnected(): void {
    this.gateNow = 'closed';
  }

  /** A probe is sent now. */
  probe(nowMs: number): void {
    this.counts.probes += 1;
    this.probeAtMs = nowMs + this.probeMs;
    this.probeMs = Math.min(this.limits.probeMsMax, this.probeMs * 2);
  }

  /** The process was stopped for a time, which is not the peer's fault. */
  slept(durationMs: number, nowMs: number): void {
    this.progressAtMs = Math.min(nowMs, this.progressAtMs + durationMs);
  }

  /** Whether there is room again, once. */
  takeRoom(): boolean {
    const isUntold = this.isRoomUntold;
    this.isRoomUntold = false;
    return isUntold;
  }

  private assertTakes(frame: Uint8Array): void {
    const { frameBytesMax, framesBeyondRoomMax } = this.limits;
    if (frame.length > frameBytesMax) {
      throw new MillraceError('ERR_INVARIANT', `a frame has ${frame.length} bytes`);
    }
    if (this.isFullNow && ++this.framesBeyondRoom > framesBeyondRoomMax) {
      throw new MillraceError('ERR_INVARIANT', 'frames are sent to a link that has no room');
    }
  }

  /** Half is free: whoever waits for room finds some worth waking up for. */
  private makeRoom(): void {
    if (!this.isFullNow) return;
    if (this.buffer.bytes > this.limits.bufferBytesMax / 2) return;
    if (this.buffer.count > this.limits.windowDatagramsMax / 2) return;
    this.isFullNow = false;
    this.isRoomUntold = true;
    this.framesBeyondRoom = 0;
  }

  /** What is lost again and again is sent in ever smaller portions, since all behind it is, too. */
  private goBack(): void {
    this.counts.gaps += 1;
    this.nextSequence = this.acknowledgedUpTo + 1;
    this.nextRound();
    this.window = Math.max(this.limits.windowDatagramsMin, this.window >> 1);
  }

  private nextRound(): void {
    this.roundNow = (this.roundNow + 1) & 0xffff;
  }
}
