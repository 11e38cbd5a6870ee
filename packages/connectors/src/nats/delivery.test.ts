import { describe, expect, test } from 'vitest';
import { deliveryOf } from './delivery.js';

const expected = {
  deliveries: 2,
  sequence: 1_234_567,
  consumerSequence: 17,
  timeNs: '1795261175265993065',
  timeMs: 1_795_261_175_265,
  pending: 0,
};
const numbers = '2.1234567.17.1795261175265993065.0';

describe('the reply subject of a message', () => {
  test.each([
    ['as it is today', `$JS.ACK.S.c.${numbers}`],
    ['with domain and account', `$JS.ACK.hub.ABCDEF.S.c.${numbers}`],
    ['with a random part behind it', `$JS.ACK._.ABCDEF.S.c.${numbers}.x7Yz`],
  ])('%s', (_name, reply) => {
    expect(deliveryOf(reply)).toEqual(expected);
  });

  test.each([
    '',
    '_INBOX.abc',
    `$JS.ACK.S.${numbers}`,
    `$JS.ACK.hub.S.c.${numbers}`,
    '$JS.ACK.S.c.2.x.17.1795261175265993065.0',
    '$JS.ACK.S.c.2.5.17.1795.0',
    '$JS.ACK.S.c.2.5.17.1795261175265993065.',
  ])('%j is none', (reply) => {
    expect(() => deliveryOf(reply)).toThrow('is no reply subject');
  });
});
