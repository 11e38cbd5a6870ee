import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunkHeadBytes, chunkHeadOf, MessageChunk, messagesOf } from './message-chunk.js';
import type { OutgoingMessage } from './outgoing-message.js';

const message = fc.record({
  subject: fc.string({ unit: 'grapheme', minLength: 1 }),
  payload: fc.uint8Array({ maxLength: 40_000 }),
  headers: fc.option(fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
  }),
});

function chunkOf(messages: readonly OutgoingMessage[]): Uint8Array {
  const chunk = new MessageChunk();
  for (const each of messages) chunk.add(each);
  return chunk.finish();
}

const read = (bytes: Uint8Array): readonly OutgoingMessage[] =>
  messagesOf(chunkHeadOf(bytes), bytes.subarray(chunkHeadBytes));

const plain = (messages: readonly OutgoingMessage[]) =>
  messages.map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] }));

const some = (count: number, bytes = 1): OutgoingMessage[] =>
  Array.from({ length: count }, (_, n) => ({
    subject: `s.${n}`,
    payload: new Uint8Array(bytes),
    headers: undefined,
  }));

describe('a chunk of messages', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        expect(plain(read(chunkOf(messages)))).toEqual(plain(messages));
      }),
    );
  });

  test('that lacks bytes, or says something else than it has, is damaged', () => {
    const bytes = chunkOf(some(3, 10));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => read(bytes.subarray(0, length))).toThrow('ERR_CODEC_CORRUPT');
    }
    bytes[0] = 4;
    expect(() => read(bytes)).toThrow('ERR_CODEC_CORRUPT');
  });

  test('has at most as many messages and bytes as an atomic batch may have', () => {
    const chunk = new MessageChunk();
    const [small] = some(1);
    for (let n = 0; n < 900; n += 1) {
      expect(chunk.fits(small!)).toBe(true);
      chunk.add(small!);
    }
    expect(chunk.fits(small!)).toBe(false);

    const large = new MessageChunk();
    const [half] = some(1, 600_000);
    large.add(half!);
    expect(large.fits(half!)).toBe(false);
    expect(large.fits(small!)).toBe(true);
  });

  test('takes one message of any size', () => {
    const [huge] = some(1, 3_000_000);
    const chunk = new MessageChunk();
    expect(chunk.fits(huge!)).toBe(true);
    chunk.add(huge!);
    expect(read(chunk.finish())[0]!.payload).toHaveLength(3_000_000);
  });
});
