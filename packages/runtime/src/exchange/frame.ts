import { MillraceError } from '@millrace/core';
import {
  type ControlElement,
  closeElement,
  endOfInput,
  idleElement,
  watermarkOf,
} from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';

/** What a frame says, as its first byte. */
export const FrameKind = {
  batch: 1,
  watermark: 2,
  idle: 3,
  barrier: 4,
  endOfInput: 5,
  close: 6,
  /** To the sender: so many bytes of the channel have been taken ever. */
  credit: 7,
} as const;

/**
 * Bytes ahead of a batch: kind, flags, two of padding, channel. A control frame has a number of
 * eight bytes behind them.
 */
export const frameHeadBytes = 8;
const controlFrameBytes = 16;

/** Flag of a barrier that overtakes what waits. */
const unalignedFlag = 1;

const kindByte: Readonly<Record<ControlElement['kind'], number>> = FrameKind;

/** Writes the head of a batch's frame into the bytes that are free for it. */
export function writeBatchHead(frame: Uint8Array, channel: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frameHeadBytes);
  view.setUint8(0, FrameKind.batch);
  view.setUint32(4, channel);
}

/** A frame of a control element. */
export function controlFrame(channel: number, element: ControlElement): Uint8Array<ArrayBuffer> {
  const value =
    element.kind === 'watermark'
      ? element.time
      : element.kind === 'barrier'
        ? element.checkpoint
        : 0;
  const frame = numberFrame(kindByte[element.kind]!, channel, value);
  if (element.kind === 'barrier' && element.mode === 'unaligned') frame[1] = unalignedFlag;
  return frame;
}

/**
 * Bytes of credit that a batch's frame takes: a short one counts for more, since its records are
 * ahead of others in time and become objects again.
 */
export const creditOf = (frame: Uint8Array): number =>
  Math.max(frame.byteLength, runtimeLimits.frameCreditMin);

/** @param bytes of the channel that have been taken since the attempt's start */
export const creditFrame = (channel: number, bytes: number): Uint8Array<ArrayBuffer> =>
  numberFrame(FrameKind.credit, channel, bytes);

function numberFrame(kind: number, channel: number, value: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(controlFrameBytes);
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind);
  view.setUint32(4, channel);
  view.setFloat64(8, value);
  return frame;
}

/** What every frame begins with. */
export interface FrameHead {
  readonly kind: number;
  readonly flags: number;
  readonly channel: number;
  /** Of control frames: watermark, checkpoint or bytes; 0 otherwise. */
  readonly value: number;
}

/** @throws MillraceError `ERR_CODEC_CORRUPT` for what is no frame */
export function readHead(frame: Uint8Array): FrameHead {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const kind = frame[0] ?? 0;
  const least = kind === FrameKind.batch ? frameHeadBytes : controlFrameBytes;
  if (kind < FrameKind.batch || kind > FrameKind.credit || frame.byteLength < least) {
    throw new MillraceError('ERR_CODEC_CORRUPT', `no frame: kind ${kind}, ${frame.length} bytes`);
  }
  const value = kind === FrameKind.batch ? 0 : view.getFloat64(8);
  return { kind, flags: view.getUint8(1), channel: view.getUint32(4), value };
}

/** The control element of a frame that is neither a batch nor credit. */
export function elementOf({ kind, flags, value }: FrameHead): ControlElement {
  switch (kind) {
    case FrameKind.watermark:
      return watermarkOf(value);
    case FrameKind.idle:
      return idleElement;
    case FrameKind.barrier:
      return {
        kind: 'barrier',
        checkpoint: value,
        mode: (flags & unalignedFlag) === 0 ? 'aligned' : 'unaligned',
      };
    case FrameKind.endOfInput:
      return endOfInput;
    case FrameKind.close:
      return closeElement;
    default:
      throw new MillraceError('ERR_CODEC_CORRUPT', `frame of kind ${kind} is no element`);
  }
}
