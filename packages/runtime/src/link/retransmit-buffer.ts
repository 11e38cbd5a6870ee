import { MillraceError } from '@millrace/core';

/** What one datagram carries of a frame: bytes `from` to `to`, `to` excluded. */
export interface Piece {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly from: number;
  readonly to: number;
}

const slotsMin = 16;

/** Pieces by their sequence, from 1 on, until they are acknowledged: a ring that grows. */
export class RetransmitBuffer {
  private slots: (Piece | undefined)[] = new Array(slotsMin).fill(undefined);
  private lastReleased = 0;
  private lastPushed = 0;
  private bytesKept = 0;

  /** Sequence of the newest piece; 0 before the first. */
  get last(): number {
    return this.lastPushed;
  }

  /** Pieces that are kept. */
  get count(): number {
    return this.lastPushed - this.lastReleased;
  }

  get bytes(): number {
    return this.bytesKept;
  }

  push(piece: Piece): void {
    if (this.count === this.slots.length) this.grow();
    this.lastPushed += 1;
    this.slots[this.lastPushed & (this.slots.length - 1)] = piece;
    this.bytesKept += piece.to - piece.from;
  }

  at(sequence: number): Piece {
    const piece =
      sequence > this.lastReleased && sequence <= this.lastPushed
        ? this.slots[sequence & (this.slots.length - 1)]
        : undefined;
    if (piece === undefined) {
      throw new MillraceError('ERR_INVARIANT', `a link does not keep datagram ${sequence}`);
    }
    return piece;
  }

  /** Forgets the pieces up to a sequence. */
  release(upTo: number): void {
    while (this.lastReleased < upTo) {
      const { from, to } = this.at(this.lastReleased + 1);
      this.lastReleased += 1;
      this.slots[this.lastReleased & (this.slots.length - 1)] = undefined;
      this.bytesKept -= to - from;
    }
  }

  private grow(): void {
    const slots = new Array<Piece | undefined>(this.slots.length * 2).fill(undefined);
    for (let sequence = this.lastReleased + 1; sequence <= this.lastPushed; sequence++) {
      slots[sequence & (slots.length - 1)] = this.slots[sequence & (this.slots.length - 1)];
    }
    this.slots = slots;
  }
}
