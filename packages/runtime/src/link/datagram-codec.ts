import { MillraceError } from '@millrace/core';
import type { Piece } from './retransmit-buffer.js';

/**
 * Bytes in front of a datagram's payload, little-endian:
 *
 *    0  crc32 of all that follows (u32): first, so that one call covers the rest
 *    4  magic (u16), version (u8), kind (u8)
 *    8  attempt (u64)
 *   16  sequence, acknowledgement: lower 32 bits (u32 each)
 *   24  sequence, acknowledgement: upper 16 bits (u16 each)
 *   28  round (u16), zero (u16)
 *   32  crc32 of both addresses (u32)
 *   36  bytes of the frame that follow in later datagrams (u32)
 *
 * A multiple of 8, so that numbers in a frame may be read where they are.
 */
export const headerBytes = 40;

const magic = 0x4c4d;
const version = 1;

/**
 * `data` carries a frame or a part of one, and `ack` an acknowledgement alone, as all kinds do.
 * `probe` asks for a `report`, which a gap calls for, too.
 */
export const datagramKinds = { data: 1, ack: 2, report: 3, probe: 4 } as const;
export type DatagramKind = (typeof datagramKinds)[keyof typeof datagramKinds];
const kindMax = datagramKinds.probe;

/** Why a datagram was not looked at any further. */
export type Refusal = 'malformed' | 'version' | 'attempt' | 'addresses' | 'checksum' | 'window';

/** CRC-32 of bytes, as an unsigned integer. */
export type Checksum = (bytes: Uint8Array) => number;

export interface LinkIdentity {
  /** Of the attempt, 64 bits without a sign. */
  readonly attempt: bigint;
  readonly ownAddress: string;
  readonly peerAddress: string;
}

/** What goes into a header apart from who talks to whom. */
export interface DatagramHeader {
  kind: DatagramKind;
  /**
   * In `data` the number of this datagram, in `ack` and `probe` of the last one that was sent. In a
   * `report` it is what called for it: a datagram of its receiver that has been seen.
   */
  sequence: number;
  /** All datagrams up to this one have arrived. */
  acknowledged: number;
  /** How often the sender went back; a report repeats the one of what called for it. */
  round: number;
  /** Bytes of the frame in later datagrams. */
  restBytes: number;
}

/** Writes and reads the datagrams of one link. */
export class DatagramCodec {
  /** What {@link decode} has read last. */
  readonly header: DatagramHeader = {
    kind: datagramKinds.ack,
    sequence: 0,
    acknowledged: 0,
    round: 0,
    restBytes: 0,
  };
  protected readonly checksum: Checksum;
  private readonly attemptLow: number;
  private readonly attemptHigh: number;
  private readonly ownPair: number;
  private readonly peerPair: number;

  constructor({ attempt, ownAddress, peerAddress }: LinkIdentity, checksum: Checksum) {
    if (BigInt.asUintN(64, attempt) !== attempt) {
      throw new MillraceError('ERR_INVARIANT', `${attempt} is no attempt of 64 bits`);
    }
    this.checksum = checksum;
    this.attemptLow = Number(BigInt.asUintN(32, attempt));
    this.attemptHigh = Number(attempt >> 32n);
    const pair = (from: string, to: string): number =>
      checksum(new TextEncoder().encode(`${from}\n${to}`));
    this.ownPair = pair(ownAddress, peerAddress);
    this.peerPair = pair(peerAddress, ownAddress);
  }

  encode(
    kind: DatagramKind,
    numbers: Pick<DatagramHeader, 'sequence' | 'acknowledged' | 'round'>,
    piece: Piece | undefined,
  ): Uint8Array<ArrayBuffer> {
    const length = piece === undefined ? 0 : piece.to - piece.from;
    const bytes = new Uint8Array(headerBytes + length);
    putU16(bytes, 4, magic);
    bytes[6] = version;
    bytes[7] = kind;
    putU32(bytes, 8, this.attemptLow);
    putU32(bytes, 12, this.attemptHigh);
    putU32(bytes, 16, numbers.sequence);
    putU32(bytes, 20, numbers.acknowledged);
    putU16(bytes, 24, numbers.sequence / 2 ** 32);
    putU16(bytes, 26, numbers.acknowledged / 2 ** 32);
    putU16(bytes, 28, numbers.round);
    putU32(bytes, 32, this.ownPair);
    if (piece !== undefined) {
      const { frame, from, to } = piece;
      putU32(bytes, 36, frame.length - to);
      bytes.set(length === frame.length ? frame : frame.subarray(from, to), headerBytes);
    }
    putU32(bytes, 0, this.checksum(bytes.subarray(4)));
    return bytes;
  }

  /** Fills {@link header}, unless it says why not. */
  decode(bytes: Uint8Array): Refusal | undefined {
    const refusal = this.refusalOf(bytes);
    if (refusal !== undefined) return refusal;
    const { header } = this;
    header.kind = bytes[7] as DatagramKind;
    header.sequence = getU32(bytes, 16) + getU16(bytes, 24) * 2 ** 32;
    header.acknowledged = getU32(bytes, 20) + getU16(bytes, 26) * 2 ** 32;
    header.round = getU16(bytes, 28);
    header.restBytes = getU32(bytes, 36);
    return undefined;
  }

  private refusalOf(bytes: Uint8Array): Refusal | undefined {
    if (bytes.length < headerBytes || getU16(bytes, 4) !== magic) return 'malformed';
    if (bytes[6] !== version) return 'version';
    if (!this.isOfAttempt(getU32(bytes, 8), getU32(bytes, 12))) return 'attempt';
    if (getU32(bytes, 32) !== this.peerPair) return 'addresses';
    if (!this.isWhole(getU32(bytes, 0), bytes.subarray(4))) return 'checksum';
    return bytes[7] === 0 || bytes[7]! > kindMax ? 'malformed' : undefined;
  }

  protected isOfAttempt(low: number, high: number): boolean {
    return low === this.attemptLow && high === this.attemptHigh;
  }

  protected isWhole(crc: number, rest: Uint8Array): boolean {
    return this.checksum(rest) === crc;
  }
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function getU16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function getU32(bytes: Uint8Array, at: number): number {
  return (getU16(bytes, at) | (getU16(bytes, at + 2) << 16)) >>> 0;
}
