import { expect, test } from 'vitest';
import { mayPass } from './publish-outcome.js';

test.each([
  ['no leader now', 503, 10_008, true],
  ['too many requests for a stream', 429, 10_167, true],
  ['too many atomic batches at a time', 429, 10_210, true],
  ['another batch on the same subject', 400, 10_164, true],
  ['the stream is full', 400, 10_077, false],
  ['the message is too large', 400, 10_054, false],
])('%s (%i, %i) passes: %s', (description, code, err_code, expected) => {
  expect(mayPass({ code, err_code, description })).toBe(expected);
});
