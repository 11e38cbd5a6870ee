import type { BadInput } from '@millrace/core/spi';
import { applySchema, type RecordSchema } from '../files/schema-check.js';
import { refuseOption } from '../option-checks.js';

/**
 * How bytes become a value: JSON, text (both UTF-8), the bytes themselves, or a function. What it
 * throws makes the message bad input.
 */
export type MessageCodec<V, M> = 'json' | 'text' | 'raw' | ((data: Uint8Array, message: M) => V);

/** How a message becomes a record. */
export interface DecodeOptions<V, T, M> {
  /** Default `json`. */
  readonly codec?: MessageCodec<V, M> | undefined;
  /** Checks and types each value; a violation is bad input. */
  readonly schema?: RecordSchema<V> | undefined;
  /** Makes the record, where it needs more than the value: subject, headers, sequence, time. */
  readonly map?: ((value: V, message: M) => T) | undefined;
}

/** A record from a message; throws when it cannot be made. */
export type MessageDecoder<T, M> = (message: M) => T;

/** @throws ERR_INVALID_OPTION for a codec that does not exist */
export function messageDecoder<V, T, M extends { readonly data: Uint8Array }>(
  options: DecodeOptions<V, T, M>,
): MessageDecoder<T, M> {
  const { codec = 'json', schema, map } = options;
  const decode = decoderOf<V, M>(codec);
  if (schema === undefined && map === undefined) return decode as unknown as MessageDecoder<T, M>;
  if (schema === undefined) return (message) => map!(decode(message), message);
  if (map === undefined) {
    return (message) => applySchema(schema, decode(message)) as unknown as T;
  }
  return (message) => map(applySchema(schema, decode(message)), message);
}

/** What belongs to the job's fingerprint. */
export function decodeSettings<V, T, M>(
  options: DecodeOptions<V, T, M>,
): Readonly<Record<string, unknown>> {
  const { codec = 'json', schema } = options;
  return { codec: typeof codec === 'function' ? 'function' : codec, checked: schema !== undefined };
}

function decoderOf<V, M extends { readonly data: Uint8Array }>(
  codec: MessageCodec<V, M>,
): MessageDecoder<V, M> {
  if (typeof codec === 'function') return (message) => codec(message.data, message);
  switch (codec) {
    case 'json':
      return ({ data }) => JSON.parse(utf8.decode(data)) as V;
    case 'text':
      return ({ data }) => utf8.decode(data) as V;
    case 'raw':
      return ({ data }) => copyOf(data) as V;
    default:
      return refuseOption('codec', `${String(codec)} is none of json, text and raw`);
  }
}

/** The client's bytes are part of a larger buffer, whose `slice` copies nothing. */
const copyOf = (data: Uint8Array): Uint8Array => new Uint8Array(data);

/** Throws at what is no UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Records of some messages, by the same index as the place and time of each. */
export interface DecodedMessages<T> {
  readonly values: T[];
  /** Event times, epoch ms. */
  readonly timestamps: Float64Array;
  /** Sequences, or what else tells where a message stands. */
  readonly places: Float64Array;
  readonly bad: BadInput[] | undefined;
}

interface PlacedMessage {
  readonly data: Uint8Array;
  readonly sequence: number;
  readonly timeMs: number;
}

export const positionOfSequence = (sequence: number): string => `sequence ${sequence}`;

/** Decodes in one go; what cannot be decoded is left out and told with a copy of its bytes. */
export function decodeMessages<T, M extends PlacedMessage>(
  messages: readonly M[],
  decode: MessageDecoder<T, M>,
): DecodedMessages<T> {
  const values: T[] = [];
  const timestamps = new Float64Array(messages.length);
  const places = new Float64Array(messages.length);
  let bad: BadInput[] | undefined;
  let next = 0;
  while (next < messages.length) {
    try {
      for (; next < messages.length; next += 1) {
        const message = messages[next]!;
        const value = decode(message);
        timestamps[values.length] = message.timeMs;
        places[values.length] = message.sequence;
        values.push(value);
      }
    } catch (error) {
      const { data, sequence } = messages[next]!;
      bad ??= [];
      bad.push({ error, raw: copyOf(data), position: positionOfSequence(sequence) });
      next += 1;
    }
  }
  return { values, timestamps, places, bad };
}
