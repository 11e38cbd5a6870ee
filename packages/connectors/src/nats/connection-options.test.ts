import type { MillraceError } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { assertNatsSettings, connectionOptions } from './connection-options.js';
import type { NatsSettings } from './nats-settings.js';

describe('settings', () => {
  const refused = (settings: unknown, field: string): void => {
    let thrown: unknown;
    try {
      assertNatsSettings(settings as NatsSettings);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'ERR_INVALID_OPTION', field });
    expect((thrown as MillraceError).message).not.toContain('s3cret');
  };

  test.each([
    ['a token', { auth: { token: 's3cret' } }, 'auth.token'],
    ['a password', { auth: { user: 'u', password: 's3cret' } }, 'auth.password'],
    ['a seed', { auth: { nkeySeed: 's3cret' } }, 'auth.nkeySeed'],
    ['creds', { auth: { creds: 's3cret' } }, 'auth.creds'],
    ['a reference to nothing', { auth: { token: {} } }, 'auth.token'],
    ['a reference to two places', { auth: { token: { env: 'A', file: 'b' } } }, 'auth.token'],
    ['an auth that is none', { auth: { secret: 's3cret' } }, 'auth'],
    ['a password in an address', { servers: ['nats://u:s3cret@host'] }, 'servers'],
    ['a websocket', { servers: 'wss://host' }, 'servers'],
  ])('never hold a secret, nor what cannot work: %s', (_name, settings, field) =>
    refused(settings, field),
  );

  test('by reference are taken', () => {
    assertNatsSettings({ servers: 'h:1', auth: { token: { env: 'A' } } });
    assertNatsSettings({ servers: ['a', 'nats://b:4222'], auth: { creds: { file: 'c' } } });
  });
});

describe('the client', () => {
  test('reconnects for ever, with our pauses, and notices a silent server within seconds', () => {
    const options = connectionOptions({}, 'orders-sink', () => 7);
    expect(options).toMatchObject({ name: 'orders-sink', maxReconnectAttempts: -1 });
    expect(options.reconnectDelayHandler!()).toBe(7);
    expect(options.pingInterval! * (options.maxPingOut! + 1)).toBeLessThanOrEqual(15_000);
    expect('servers' in options).toBe(false);
  });

  test('is not told what is undefined', () => {
    const tls = { caFile: 'ca.pem', certFile: undefined };
    expect(connectionOptions({ tls }, 'x', () => 1).tls).toEqual({ caFile: 'ca.pem' });
  });
});
