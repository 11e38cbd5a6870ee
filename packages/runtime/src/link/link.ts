import type { Cancellable, Env, Transport, TransportListener } from '@millrace/core/spi';
import type { Lane, LaneListener } from '../exchange/lane.js';
import type { Checksum, LinkIdentity } from './datagram-codec.js';
import type { LinkCounts } from './link-counts.js';
import { defaultLinkLimits, type LinkLimits } from './link-limits.js';
import { LinkProtocol, linkParts } from './link-protocol.js';

export interface LinkOptions extends LinkIdentity {
  readonly transport: Transport;
  readonly env: Pick<Env, 'clock' | 'scheduler'>;
  /** CRC-32 of bytes. */
  readonly checksum: Checksum;
  /** Does not throw. */
  readonly listener: LaneListener;
  /** The same at both ends. */
  readonly limits?: LinkLimits | undefined;
}

/**
 * One end of a reliable lane over a transport that loses, repeats and reorders. Several links may
 * share an address: each takes what its peer has sent to it in its attempt, and nothing else.
 *
 * The peer is created with the addresses exchanged, and each end once in an attempt. An end stays
 * open until the attempt is over: what it has not acknowledged fails its peer.
 */
export class Link implements Lane {
  private readonly options: LinkOptions;
  private readonly protocol: LinkProtocol;
  private readonly listeners: readonly TransportListener[];
  private timer: Cancellable | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private isSending = false;
  private isClosed = false;

  /** @param protocol replaced only by tests, with one that is broken on purpose */
  constructor(options: LinkOptions, protocol = protocolOf(options)) {
    this.options = options;
    this.protocol = protocol;
    const { transport, ownAddress } = options;
    this.listeners = [
      transport.listen(ownAddress, (datagram) => this.receive(datagram)),
      transport.onConnection(() => this.connection()),
    ];
    this.connection();
  }

  get hasRoom(): boolean {
    return this.protocol.hasRoom;
  }
  get counts(): Readonly<LinkCounts> {
    return this.protocol.counts;
  }
  /** Bytes of frames that the peer has not acknowledged. */
  get bufferedBytes(): number {
    return this.protocol.bufferedBytes;
  }
  /** Datagrams that the peer has not acknowledged. */
  get bufferedDatagrams(): number {
    return this.protocol.bufferedDatagrams;
  }

  /**
   * After the link has failed or was closed it does nothing.
   *
   * @throws MillraceError `ERR_INVARIANT` for a frame above `linkFrameBytesMax`, or after
   *   `linkFramesBeyondRoomMax` frames without room
   */
  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.isClosed) return;
    const nowMs = this.nowMs();
    this.protocol.take(frame, nowMs);
    this.flush(nowMs);
    this.setTimer(nowMs);
  }

  /** What is not acknowledged may be lost. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.timer?.cancel();
    const last = this.protocol.pollLast();
    if (last !== undefined) this.sendAway(last);
    for (const listener of this.listeners) listener.close();
  }

  private receive(datagram: Uint8Array): void {
    if (this.isClosed) return;
    if (this.isSending) {
      // A transport that delivers at once: nobody is called back from within `send`.
      this.options.env.scheduler.after(0, () => this.receive(datagram));
      return;
    }
    const nowMs = this.nowMs();
    const frame = this.protocol.receive(datagram, nowMs);
    this.flush(nowMs);
    this.setTimer(nowMs);
    if (frame !== undefined) this.options.listener.onFrame(frame);
    this.tell();
  }

  private connection(): void {
    if (this.isClosed) return;
    const nowMs = this.nowMs();
    this.protocol.connection(this.options.transport.isConnected, nowMs);
    this.flush(nowMs);
    this.setTimer(nowMs);
  }

  private wake(): void {
    const nowMs = this.nowMs();
    const lateMs = nowMs - this.timerAtMs;
    this.timer = undefined;
    this.timerAtMs = Number.POSITIVE_INFINITY;
    this.protocol.wake(nowMs, lateMs);
    this.flush(nowMs);
    this.setTimer(nowMs);
    this.tell();
  }

  /** What is to be told besides frames; a listener may have closed the link meanwhile. */
  private tell(): void {
    const { listener } = this.options;
    if (!this.isClosed && this.protocol.takeRoom()) listener.onRoom();
    const { failure } = this.protocol;
    if (this.isClosed || failure === undefined) return;
    this.close();
    listener.onFailure(failure);
  }

  private flush(nowMs: number): void {
    if (this.isSending) return;
    let datagram = this.protocol.poll(nowMs);
    while (datagram !== undefined) {
      this.sendAway(datagram);
      datagram = this.protocol.poll(nowMs);
    }
  }

  private sendAway(datagram: Uint8Array): void {
    this.isSending = true;
    try {
      this.options.transport.send(this.options.peerAddress, datagram);
    } catch (cause) {
      this.protocol.fail('ERR_LINK_BROKEN', 'the transport took no datagram', cause);
    } finally {
      this.isSending = false;
    }
  }

  /** One timer for all there is to wait for. One that fires too early is set again then. */
  private setTimer(nowMs: number): void {
    const atMs = this.protocol.wakeAtMs;
    if (this.isClosed || atMs >= this.timerAtMs) return;
    this.timer?.cancel();
    this.timerAtMs = Math.max(atMs, nowMs);
    this.timer = this.options.env.scheduler.after(this.timerAtMs - nowMs, () => this.wake());
  }

  private nowMs(): number {
    return this.options.env.clock.monotonicMs();
  }
}

function protocolOf(options: LinkOptions): LinkProtocol {
  const { limits = defaultLinkLimits, checksum, transport } = options;
  return new LinkProtocol(linkParts(options, limits, checksum, transport.datagramBytesMax));
}
