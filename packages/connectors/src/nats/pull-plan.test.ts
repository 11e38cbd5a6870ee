import { expect, test } from 'vitest';
import { nextPull, type PullSituation } from './pull-plan.js';

const check = (held: Partial<PullSituation>) =>
  nextPull({
    messages: 0,
    bytes: 0,
    messagesMax: 100,
    bytesMax: 1_000,
    isTooSmall: false,
    ...held,
  });

test('an empty reader asks for all it may hold, a half empty one for the rest', () => {
  expect(check({})).toEqual({ messages: 100, bytes: 1_000 });
  expect(check({ messages: 50, bytes: 10 })).toEqual({ messages: 50, bytes: 990 });
  expect(check({ messages: 2, bytes: 500 })).toEqual({ messages: 98, bytes: 500 });
});

test('a fuller one waits for the job', () => {
  expect(check({ messages: 51 })).toBeUndefined();
  expect(check({ messages: 1, bytes: 501 })).toBeUndefined();
});

test('a message larger than what is left is asked for alone, when nothing else is held', () => {
  expect(check({ messages: 1, isTooSmall: true })).toBeUndefined();
  expect(check({ isTooSmall: true })).toEqual({ messages: 1, bytes: undefined });
});
