import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';
import type { HeaderPair, OutgoingMessage } from './outgoing-message.js';

/**
 * Messages that are published together. As bytes: number of messages and bytes of the rest, then
 * for each message the lengths of subject, headers and payload, and these. What was staged once
 * falls into the same chunks whenever it is read, since each is stored with its size.
 */
export class MessageChunk {
  private bytes = Buffer.allocUnsafe(firstBytes);
  private length = chunkHeadBytes;
  private messages = 0;

  get isEmpty(): boolean {
    return this.messages === 0;
  }

  /** Whether a message still fits into an atomic batch with those that are here. */
  fits(message: OutgoingMessage): boolean {
    if (this.messages === 0) return true;
    const { natsBatchMessagesMax, natsBatchBytesMax } = connectorLimits;
    if (this.messages >= natsBatchMessagesMax) return false;
    return this.length + message.payload.length + messageHeadBytes <= natsBatchBytesMax;
  }

  add({ subject, payload, headers }: OutgoingMessage): void {
    const head = headers === undefined || headers.length === 0 ? '' : JSON.stringify(headers);
    const subjectBytes = Buffer.byteLength(subject);
    const headersBytes = Buffer.byteLength(head);
    this.reserve(messageHeadBytes + subjectBytes + headersBytes + payload.length);
    const { bytes } = this;
    let at = bytes.writeUInt32LE(subjectBytes, this.length);
    at = bytes.writeUInt32LE(headersBytes, at);
    at = bytes.writeUInt32LE(payload.length, at);
    at += bytes.write(subject, at);
    at += bytes.write(head, at);
    bytes.set(payload, at);
    this.length = at + payload.length;
    this.messages += 1;
  }

  /** All of it; the chunk must not be changed any more. */
  finish(): Uint8Array {
    this.bytes.writeUInt32LE(this.messages, 0);
    this.bytes.writeUInt32LE(this.length - chunkHeadBytes, 4);
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/** Bytes ahead of a chunk's messages. */
export const chunkHeadBytes = 8;
const messageHeadBytes = 12;
const firstBytes = 16_384;

/** Size of a chunk, from its first bytes. */
export interface ChunkHead {
  readonly messages: number;
  /** Without the head. */
  readonly bytes: number;
}

/** @throws MillraceError ERR_CODEC_CORRUPT */
export function chunkHeadOf(head: Uint8Array): ChunkHead {
  if (head.length < chunkHeadBytes) throw corrupt('it ends in the head of a chunk');
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  return { messages: view.getUint32(0, true), bytes: view.getUint32(4, true) };
}

/**
 * The messages of a chunk, as views of its bytes.
 *
 * @throws MillraceError ERR_CODEC_CORRUPT
 */
export function messagesOf(head: ChunkHead, bytes: Uint8Array): readonly OutgoingMessage[] {
  if (bytes.length !== head.bytes) throw corrupt('it ends in a chunk');
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: OutgoingMessage[] = [];
  let at = 0;
  while (at + messageHeadBytes <= content.length) {
    const subjectAt = at + messageHeadBytes;
    const headersAt = subjectAt + content.readUInt32LE(at);
    const payloadAt = headersAt + content.readUInt32LE(at + 4);
    at = payloadAt + content.readUInt32LE(at + 8);
    if (at > content.length) break;
    const subject = content.toString('utf8', subjectAt, headersAt);
    const headers =
      headersAt === payloadAt
        ? undefined
        : (JSON.parse(content.toString('utf8', headersAt, payloadAt)) as HeaderPair[]);
    messages.push({ subject, headers, payload: content.subarray(payloadAt, at) });
  }
  if (at === content.length && messages.length === head.messages) return messages;
  throw corrupt(`a chunk of ${head.messages} messages has ${messages.length}`);
}

function corrupt(what: string): MillraceError {
  return new MillraceError('ERR_CODEC_CORRUPT', `staged output is not what was written: ${what}`);
}
