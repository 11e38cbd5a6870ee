import { crc32 } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import { canonicalJson } from '@millrace/core/internal';
import type { ControlElement } from '@millrace/core/spi';
import { controlFrame, elementOf, FrameKind, readHead } from '../exchange/frame.js';
import type { ChannelId } from '../plan/channel-id.js';

/** What waits in a channel: a batch as `BatchEncoder` writes it, or control. */
export type ChannelElement = Uint8Array | ControlElement;

/** A channel in an unaligned checkpoint, as its reader sees it. */
export interface ChannelState {
  readonly channel: ChannelId;
  /** The last watermark that the reader has taken from it, epoch ms; −∞ before the first. */
  readonly watermark: number;
  readonly isIdle: boolean;
  /** The reader's watermark of all its channels, which never goes back. */
  readonly combined: number;
  /** What the reader had not taken at its barrier and came ahead of the channel's, in order. */
  readonly elements: readonly ChannelElement[];
}

/** Batches among what waited. */
export const batchesIn = (states: readonly ChannelState[]): number =>
  states.reduce(
    (sum, { elements }) => sum + elements.filter((each) => each instanceof Uint8Array).length,
    0,
  );

/** "MLCH" */
const magic = 0x4d4c4348;
const version = 1;
const headBytes = 8;
/** Length and crc32 of what follows. */
const partHeadBytes = 8;

/** What a part is, as its first byte. */
const PartKind = { channel: 1, batch: 2, control: 3, end: 4 } as const;

const numbersBytes = 18;
const endBytes = 9;

/**
 * The channels of a task as one blob: magic and version, then parts of their own length and crc32:
 * each channel, followed by its elements, and an end that counts the parts.
 */
export function writeChannelStates(states: readonly ChannelState[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const state of states) {
    parts.push(channelPart(state));
    for (const element of state.elements) parts.push(elementPart(element));
  }
  const end = new Uint8Array(endBytes);
  end[0] = PartKind.end;
  new DataView(end.buffer).setFloat64(1, parts.length);
  parts.push(end);
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + partHeadBytes + length, headBytes),
  );
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, version);
  let at = headBytes;
  for (const part of parts) {
    view.setUint32(at, part.length);
    view.setUint32(at + 4, crc32(part));
    bytes.set(part, at + partHeadBytes);
    at += partHeadBytes + part.length;
  }
  return bytes;
}

/** @throws MillraceError `ERR_CHECKPOINT_CORRUPT` */
export function readChannelStates(bytes: Uint8Array): readonly ChannelState[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headBytes || view.getUint32(0) !== magic) throw corrupt('it has no magic');
  if (view.getUint32(4) !== version) throw corrupt(`version ${view.getUint32(4)} is unknown here`);
  const states: (ChannelState & { readonly elements: ChannelElement[] })[] = [];
  let parts = 0;
  for (let at = headBytes; ; parts += 1) {
    const part = partAt(bytes, view, at);
    at += partHeadBytes + part.length;
    if (part[0] === PartKind.end) {
      if (numberAt(part, 1) !== parts) throw corrupt('parts are missing');
      if (at !== bytes.length) throw corrupt('bytes follow its end');
      return states;
    }
    if (part[0] === PartKind.channel) states.push({ ...channelOf(part), elements: [] });
    else {
      const last = states.at(-1);
      if (last === undefined) throw corrupt('an element belongs to no channel');
      last.elements.push(elementIn(part));
    }
  }
}

function partAt(bytes: Uint8Array, view: DataView, at: number): Uint8Array {
  if (at + partHeadBytes > bytes.length) throw corrupt('it is cut off');
  const length = view.getUint32(at);
  const from = at + partHeadBytes;
  if (length === 0 || from + length > bytes.length) throw corrupt('it is cut off');
  const part = bytes.subarray(from, from + length);
  if (crc32(part) === view.getUint32(at + 4)) return part;
  throw corrupt(`the checksum at byte ${at} does not fit`);
}

/** Kind, the two watermarks, idle or not, and who it is as JSON. */
function channelPart({ channel, watermark, combined, isIdle }: ChannelState): Uint8Array {
  const text = new TextEncoder().encode(canonicalJson(channel));
  const part = new Uint8Array(numbersBytes + text.length);
  const view = new DataView(part.buffer);
  view.setUint8(0, PartKind.channel);
  view.setFloat64(1, watermark);
  view.setFloat64(9, combined);
  view.setUint8(17, isIdle ? 1 : 0);
  part.set(text, numbersBytes);
  return part;
}

function channelOf(part: Uint8Array): Omit<ChannelState, 'elements'> {
  const text = new TextDecoder().decode(part.subarray(numbersBytes));
  return {
    channel: JSON.parse(text) as ChannelId,
    watermark: numberAt(part, 1),
    combined: numberAt(part, 9),
    isIdle: part[17] === 1,
  };
}

function elementPart(element: ChannelElement): Uint8Array {
  const isBatch = element instanceof Uint8Array;
  // Which channel it is, the part ahead says.
  const content = isBatch ? element : controlFrame(0, element);
  const part = new Uint8Array(1 + content.length);
  part[0] = isBatch ? PartKind.batch : PartKind.control;
  part.set(content, 1);
  return part;
}

function elementIn(part: Uint8Array): ChannelElement {
  const content = part.subarray(1);
  if (part[0] === PartKind.batch) return content;
  if (part[0] !== PartKind.control) throw corrupt(`${part[0]} is no kind of part`);
  const head = readHead(content);
  if (head.kind === FrameKind.batch) throw corrupt('a batch stands where control should');
  return elementOf(head);
}

const numberAt = (part: Uint8Array, at: number): number =>
  new DataView(part.buffer, part.byteOffset, part.byteLength).getFloat64(at);

const corrupt = (detail: string): MillraceError =>
  new MillraceError('ERR_CHECKPOINT_CORRUPT', `state of channels: ${detail}`);
