import { describe, expect, test } from 'vitest';
import type { StreamFacts } from './stream-facts.js';
import { judgeMessage, judgeStream, type StreamPosition } from './stream-position.js';

const stream: StreamFacts = {
  name: 'S',
  created: '2026-01-01T00:00:00.123456789Z',
  first: 1,
  last: 100,
  retention: 'limits',
};
const at: StreamPosition = {
  stream: 'S',
  created: stream.created,
  sequence: 40,
  timeNs: '1795261175265993065',
};

describe('a stream is', () => {
  const check = (changes: Partial<StreamFacts>, position: Partial<StreamPosition> = {}) =>
    judgeStream({ ...at, ...position }, { ...stream, ...changes });

  test('the same while it grows, and while what was read is removed', () => {
    for (const facts of [{}, { last: 40 }, { first: 41 }, { first: 41, last: 40 }]) {
      expect(check(facts)).toEqual({ kind: 'same' });
    }
  });

  test('truncated when it begins behind the next message', () => {
    expect(check({ first: 42 })).toEqual({ kind: 'truncated', from: 41, to: 41 });
    expect(check({ first: 101 })).toEqual({ kind: 'truncated', from: 41, to: 100 });
  });

  test('not truncated where it was seen to have nothing for the split', () => {
    expect(check({ first: 61 }, { seen: 60 })).toEqual({ kind: 'same' });
    expect(check({ first: 62 }, { seen: 60 })).toEqual({ kind: 'truncated', from: 61, to: 61 });
  });

  test('changed when it is missing, is another one, or ends before what was read', () => {
    expect(judgeStream(at, undefined)).toEqual({ kind: 'changed', what: 'is not there any more' });
    expect(check({ created: '2026-01-01T00:00:00.123456780Z' })).toMatchObject({
      what: expect.stringMatching(/^was deleted and created again/),
    });
    expect(check({ last: 39 })).toMatchObject({
      what: 'was rolled back: it ends at sequence 39',
    });
  });

  test('the same when it ends before a position from which nothing was read', () => {
    expect(check({ last: 39 }, { timeNs: undefined })).toEqual({ kind: 'same' });
  });
});

describe('the message at the position', () => {
  test.each([
    ['is what was read', { sequence: 40, timeNs: at.timeNs! }, 'same'],
    ['is another one', { sequence: 40, timeNs: '1795261175265993066' }, 'changed'],
    ['was removed', { sequence: 41, timeNs: '1795261175265993066' }, 'same'],
  ])('%s', (_name, message, kind) => {
    expect(judgeMessage(at, message)).toMatchObject({ kind });
  });
});
