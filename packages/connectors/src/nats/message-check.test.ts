import { describe, expect, test } from 'vitest';
import { MessageCheck } from './message-check.js';
import { isPublishable, takesSubject } from './message-subject.js';
import { permissionOf } from './publish-permissions.js';

test.each([
  ['a.b', 'a.b', true],
  ['a.b', 'a.b.c', false],
  ['a.*', 'a.b', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['>', 'a', true],
  ['*.b', 'a.b', true],
  ['a.>', 'a.b.>', true],
  ['a.*', 'a.>', false],
])('%s takes %s: %s', (filter, subject, takes) => {
  expect(takesSubject(filter, subject)).toBe(takes);
});

test('what can be published to', () => {
  for (const subject of ['a', 'a.b-c', 'x*y', '$KV.b.k']) expect(isPublishable(subject)).toBe(true);
  for (const subject of ['', 'a..b', '.a', 'a.', 'a b', 'a.*', '>', 'a\n']) {
    expect(isPublishable(subject)).toBe(false);
  }
});

test('what a user may publish: nothing denied, and of a list of what is allowed only that', () => {
  expect(permissionOf({})('a')).toBe(true);
  const only = permissionOf({ allow: ['a.>', 'b'], deny: ['a.secret'] });
  expect(['a.x', 'b', 'a.secret', 'c'].map(only)).toEqual([true, true, false, false]);
});

describe('a message is checked while its record is known', () => {
  const check = new MessageCheck({
    bytesMax: 60,
    stream: { name: 'S', subjects: ['s.>'] },
    permission: (subject) => subject !== 's.secret',
  });
  const message = (subject: string, bytes = 1, headers?: readonly [string, string][]) => ({
    subject,
    payload: new Uint8Array(bytes),
    headers,
  });
  const failure = (...given: Parameters<typeof message>): string => {
    try {
      check.check(message(...given));
      return 'fine';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('its size with its headers', () => {
    expect(failure('s.a', 60)).toBe('fine');
    expect(failure('s.a', 61)).toMatch(/ERR_SINK_RECORD.*"s\.a" has 61 bytes, 60 are allowed/);
    expect(failure('s.a', 50, [['Key', 'value']])).toMatch(/has 74 bytes/);
  });

  test('its subject', () => {
    expect(failure('s')).toMatch(/ERR_SINK_RECORD.*stream S does not take "s"/);
    expect(failure('s.a b')).toMatch(/ERR_SINK_RECORD.*"s\.a b" is no subject/);
    expect(failure('s.secret')).toMatch(/ERR_NATS_PERMISSION.*"s\.secret"/);
    expect(failure(undefined as never)).toMatch(/ERR_SINK_RECORD/);
  });
});
