import { expect, test } from 'vitest';
import { type EncodeOptions, messageEncoder } from './message-encoder.js';

const encode = <T>(options: EncodeOptions<T>, record: T) => {
  const { payload, ...rest } = messageEncoder(options)(record, 0)!;
  return { ...rest, text: Buffer.from(payload).toString() };
};

test('a record becomes JSON on a subject, unless told otherwise', () => {
  expect(encode({ subject: 'a' }, { n: 1 })).toEqual({
    subject: 'a',
    text: '{"n":1}',
    headers: undefined,
  });
  const options = {
    subject: (r: { n: number }) => `a.${r.n}`,
    headers: (r: { n: number }) => ({ Number: String(r.n) }),
    codec: (r: { n: number }) => `n=${r.n}`,
  };
  expect(encode(options, { n: 2 })).toEqual({
    subject: 'a.2',
    text: 'n=2',
    headers: [['Number', '2']],
  });
  expect(encode({ subject: 'a', codec: 'raw' }, new Uint8Array([104, 105])).text).toBe('hi');
  expect(encode({ subject: 'a', codec: 'text' }, 'hi').text).toBe('hi');
});

test.each([
  ['what JSON would lose', { subject: 'a' }, { n: 1n }, 'ERR_UNSERIALISABLE_VALUE'],
  ['what is no bytes', { subject: 'a', codec: 'raw' as const }, 5, 'ERR_UNSERIALISABLE_VALUE'],
  [
    'what UTF-8 would lose',
    { subject: 'a', codec: 'text' as const },
    '\ud83d',
    'ERR_UNSERIALISABLE_VALUE',
  ],
  [
    'a header of the server',
    { subject: 'a', headers: () => ({ 'nats-Msg-Id': '1' }) },
    1,
    'ERR_SINK_RECORD',
  ],
  ['a header of two lines', { subject: 'a', headers: () => ({ A: 'b\nc' }) }, 1, 'ERR_SINK_RECORD'],
  ['a header without a name', { subject: 'a', headers: () => ({ '': 'b' }) }, 1, 'ERR_SINK_RECORD'],
])('%s is refused', (_, options: EncodeOptions<unknown>, record, code) => {
  expect(() => encode(options, record)).toThrow(code);
});

test('a codec that does not exist is refused at once', () => {
  expect(() => messageEncoder({ subject: 'a', codec: 'xml' as never })).toThrow(
    'ERR_INVALID_OPTION',
  );
});
