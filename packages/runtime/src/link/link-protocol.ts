import { MillraceError } from '@millrace/core';
import {
  type Checksum,
  DatagramCodec,
  type DatagramKind,
  datagramKinds,
  headerBytes,
  type LinkIdentity,
} from './datagram-codec.js';
import { describeRefused, type LinkCounts, newLinkCounts } from './link-counts.js';
import type { LinkLimits } from './link-limits.js';
import { LinkReceiver } from './link-receiver.js';
import { LinkSender } from './link-sender.js';
import type { Piece } from './retransmit-buffer.js';

/** What a link's protocol consists of; tests put broken parts in. */
export interface LinkParts {
  readonly identity: LinkIdentity;
  readonly limits: LinkLimits;
  readonly counts: LinkCounts;
  readonly codec: DatagramCodec;
  readonly sender: LinkSender;
  readonly receiver: LinkReceiver;
}

/** @throws MillraceError `ERR_INVARIANT` for datagrams not longer than a header */
export function linkParts(
  identity: LinkIdentity,
  limits: LinkLimits,
  checksum: Checksum,
  datagramBytesMax: number,
): LinkParts {
  const counts = newLinkCounts();
  return {
    identity,
    limits,
    counts,
    codec: new DatagramCodec(identity, checksum),
    sender: new LinkSender(limits, counts, datagramBytesMax - headerBytes),
    receiver: new LinkReceiver(limits, counts),
  };
}

/**
 * The decisions of one end of a link; it does nothing itself and reads no clock. What happens is
 * told to it, and afterwards {@link poll} gives what is to be sent, until it gives nothing. It is
 * one object that changes, not a step from state to state, since it is asked for every frame. The
 * shape is that of the QUIC implementation quinn (`quinn-proto`, `Connection::poll_transmit`).
 */
export class LinkProtocol {
  readonly counts: LinkCounts;
  private readonly parts: LinkParts;
  private failedWith: MillraceError | undefined;
  /** Of the datagram that is being written. */
  private readonly numbers = { sequence: 0, acknowledged: 0, round: 0 };

  constructor(parts: LinkParts) {
    this.parts = parts;
    this.counts = parts.counts;
  }

  /** Why the link is at its end: nothing is sent or received any more. */
  get failure(): MillraceError | undefined {
    return this.failedWith;
  }
  get hasRoom(): boolean {
    return this.failedWith === undefined && !this.parts.sender.isFull;
  }
  /** Bytes that were sent and are not acknowledged. */
  get bufferedBytes(): number {
    return this.parts.sender.buffer.bytes;
  }
  /** Datagrams that were sent, or wait for it, and are not acknowledged. */
  get bufferedDatagrams(): number {
    return this.parts.sender.buffer.count;
  }

  /** Whether there is room again since it was asked last. */
  takeRoom(): boolean {
    return this.failedWith === undefined && this.parts.sender.takeRoom();
  }

  /** When to {@link wake} it at the latest; infinite if nothing is to be done without an event. */
  get wakeAtMs(): number {
    if (this.failedWith !== undefined) return Number.NEGATIVE_INFINITY;
    const { sender, receiver } = this.parts;
    if (sender.gate === 'closed') return sender.stallDueMs;
    return Math.min(sender.probeDueMs, sender.stallDueMs, receiver.ackDueMs);
  }

  take(frame: Uint8Array<ArrayBuffer>, nowMs: number): void {
    if (this.failedWith === undefined) this.parts.sender.take(frame, nowMs);
  }

  connection(isConnected: boolean, nowMs: number): void {
    const { sender } = this.parts;
    if (isConnected === (sender.gate !== 'closed')) return;
    if (isConnected) sender.connected(nowMs);
    else sender.disconnected();
  }

  /** @param lateMs how much later than it had asked for */
  wake(nowMs: number, lateMs: number): void {
    const { sender, limits } = this.parts;
    if (lateMs >= limits.sleepMs) sender.slept(lateMs, nowMs);
    if (nowMs >= sender.stallDueMs) this.fail('ERR_LINK_STALLED', this.describeStall());
  }

  /** Gives the frame that is whole with this datagram, which it may share its memory with. */
  receive(datagram: Uint8Array, nowMs: number): Uint8Array | undefined {
    if (this.failedWith !== undefined) return undefined;
    const { codec, sender, receiver, counts } = this.parts;
    const refusal = codec.decode(datagram);
    if (refusal !== undefined) {
      counts.refused[refusal] += 1;
      return undefined;
    }
    const { header } = codec;
    if (!sender.acknowledge(header.acknowledged, nowMs)) {
      const what = `datagram ${header.acknowledged} of ${sender.sent} is acknowledged`;
      this.fail('ERR_LINK_BROKEN', what);
      return undefined;
    }
    if (header.kind === datagramKinds.data) {
      const frame = receiver.data(header, datagram.subarray(headerBytes), nowMs);
      if (receiver.broken !== undefined) this.fail('ERR_LINK_BROKEN', receiver.broken);
      return frame;
    }
    if (header.kind === datagramKinds.report) sender.report(header, nowMs);
    else if (header.kind === datagramKinds.probe) receiver.probed(header.sequence, header.round);
    return undefined;
  }

  /** The next datagram to send; undefined if there is none for now. */
  poll(nowMs: number): Uint8Array<ArrayBuffer> | undefined {
    const { sender, receiver } = this.parts;
    if (sender.gate === 'closed' || this.failedWith !== undefined) return undefined;
    if (receiver.isReportDue) {
      receiver.reported();
      return this.write(datagramKinds.report, receiver.seen, receiver.round, undefined);
    }
    if (sender.probeDueMs <= nowMs) {
      sender.probe(nowMs);
      return this.write(datagramKinds.probe, sender.sent, sender.round, undefined);
    }
    const piece = sender.next();
    if (piece !== undefined) {
      return this.write(datagramKinds.data, sender.nextSent, sender.round, piece);
    }
    return receiver.ackDueMs <= nowMs ? this.ack() : undefined;
  }

  /** The acknowledgement that is owed when the link is closed. */
  pollLast(): Uint8Array<ArrayBuffer> | undefined {
    const { sender, receiver } = this.parts;
    if (sender.gate === 'closed' || this.failedWith !== undefined) return undefined;
    return Number.isFinite(receiver.ackDueMs) ? this.ack() : undefined;
  }

  /** The link ends with this; only the first failure counts. */
  fail(code: 'ERR_LINK_STALLED' | 'ERR_LINK_BROKEN', what: string, cause?: unknown): void {
    const { ownAddress, peerAddress } = this.parts.identity;
    const refused = describeRefused(this.counts);
    const detail = `${ownAddress} to ${peerAddress}: ${what}; refused: ${refused}`;
    this.failedWith ??= new MillraceError(code, detail, { cause });
  }

  private ack(): Uint8Array<ArrayBuffer> {
    const { sender } = this.parts;
    return this.write(datagramKinds.ack, sender.sent, sender.round, undefined);
  }

  private write(
    kind: DatagramKind,
    sequence: number,
    round: number,
    piece: Piece | undefined,
  ): Uint8Array<ArrayBuffer> {
    const { codec, receiver } = this.parts;
    this.numbers.sequence = sequence;
    this.numbers.round = round;
    this.numbers.acknowledged = receiver.received;
    receiver.acknowledged();
    this.counts.datagramsSent += 1;
    return codec.encode(kind, this.numbers, piece);
  }

  private describeStall(): string {
    const { sender, limits } = this.parts;
    const waiting = `${sender.buffer.count} datagrams with ${sender.buffer.bytes} bytes`;
    const gate = sender.gate === 'closed' ? 'is not connected' : `is connected (${sender.gate})`;
    return `${waiting} are not acknowledged for ${limits.stallMs} ms; the transport ${gate}`;
  }
}
