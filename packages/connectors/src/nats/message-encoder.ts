import { MillraceError } from '@millrace/core';
import { jsonLine } from '../files/json-line.js';
import { wellFormed } from '../files/well-formed-text.js';
import { refuseOption } from '../option-checks.js';
import type { HeaderPair, OutgoingMessage } from './outgoing-message.js';

/** How a record becomes the bytes of a message: JSON, text, the bytes that it is, or a function. */
export type PayloadCodec<T> = 'json' | 'text' | 'raw' | ((record: T) => Uint8Array | string);

/** How a record becomes a message. */
export interface EncodeOptions<T> {
  /** Where it is published. */
  readonly subject: string | ((record: T) => string);
  /** Default `json`. */
  readonly codec?: PayloadCodec<T> | undefined;
  /** Names that begin with `Nats-` are the server's, but for `Nats-TTL`. */
  readonly headers?: ((record: T) => Readonly<Record<string, string>>) | undefined;
}

/** A message from a record of a kind (`RecordKind`); undefined: none is published for it. */
export type MessageEncoder = (record: unknown, kind: number) => OutgoingMessage | undefined;

/** @throws ERR_INVALID_OPTION for a codec that does not exist */
export function messageEncoder<T>(options: EncodeOptions<T>): MessageEncoder {
  const { subject, codec = 'json', headers } = options;
  const payloadOf = payloadEncoder(codec) as (record: unknown) => Uint8Array;
  const subjectOf = typeof subject === 'string' ? () => subject : subject;
  return (record) => ({
    subject: subjectOf(record as T),
    payload: payloadOf(record),
    headers: headers === undefined ? undefined : headerPairs(headers(record as T)),
  });
}

/** @throws ERR_INVALID_OPTION for a codec that does not exist */
export function payloadEncoder<T>(codec: PayloadCodec<T>): (record: T) => Uint8Array {
  if (typeof codec === 'function') return (record) => bytesOf(codec(record));
  switch (codec) {
    case 'json':
      return (record) => Buffer.from(jsonLine(record).slice(0, -1));
    case 'text':
    case 'raw':
      return (record) => bytesOf(record);
    default:
      return refuseOption('codec', `${String(codec)} is none of json, text and raw`);
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(wellFormed(value));
  if (value instanceof Uint8Array) return value;
  const detail = `a ${typeof value} is neither text nor bytes`;
  throw new MillraceError('ERR_UNSERIALISABLE_VALUE', detail);
}

function headerPairs(headers: Readonly<Record<string, string>>): readonly HeaderPair[] {
  const pairs = Object.entries(headers);
  for (const [name, value] of pairs) assertHeader(name, value);
  return pairs;
}

function assertHeader(name: string, value: string): void {
  if (!/^[!-9;-~]+$/.test(name)) refuseHeader(name, 'a name is ASCII without spaces and ":"');
  if (/^nats-/i.test(name) && !/^nats-ttl$/i.test(name)) {
    refuseHeader(name, 'names that begin with Nats- are for the server');
  }
  if (typeof value !== 'string' || /[\r\n]/.test(value)) {
    refuseHeader(name, 'its value is no text of one line');
  }
}

function refuseHeader(name: string, why: string): never {
  const detail = `header ${JSON.stringify(name)}: ${why}`;
  throw new MillraceError('ERR_SINK_RECORD', detail, { field: name });
}
