import type { MillraceError } from '@millrace/core';

/**
 * Carries frames from one slot of an attempt to another one of the same attempt.
 *
 * Law: frames arrive in the order in which they were sent, each once, or the lane fails. A frame is
 * never changed by either side once it was sent. How much may be on its way is the channels' matter
 * (credit); a lane only says when it cannot take more for the moment.
 */
export interface Lane {
  /** False: nothing is to be sent until `onRoom`. One frame more does no harm. */
  readonly hasRoom: boolean;
  /** The frame is the lane's from then on. It owns its buffer, which may be transferred. */
  send(frame: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** What a lane calls; never from within `send`. */
export interface LaneListener {
  /** The frame is the receiver's. */
  onFrame(frame: Uint8Array): void;
  /** There is room again. */
  onRoom(): void;
  /** Nothing more arrives: the attempt fails with it. */
  onFailure(error: MillraceError): void;
}
