import type { ErrorCode } from '@millrace/core';
import { AuthorizationError, ConnectionError, TimeoutError } from '@nats-io/nats-core';
import { describe, expect, test } from 'vitest';
import { connectErrorOf, isRefusal } from './client-error.js';

describe('why connecting failed', () => {
  const check = (thrown: unknown, code: ErrorCode, text: string): void => {
    const error = connectErrorOf(thrown, 'orders');
    expect(error).toMatchObject({ code, operator: 'orders', cause: thrown });
    expect(error.detail).toContain(text);
  };
  const node = (code: string): Error => Object.assign(new Error('node said so'), { code });

  test('nobody listens', () =>
    check(new ConnectionError('connection refused'), 'ERR_NATS_UNREACHABLE', 'refused'));
  test('silence', () => check(new TimeoutError(), 'ERR_NATS_UNREACHABLE', 'client certificate'));
  test('the server refuses', () =>
    check(new AuthorizationError('Authorization Violation'), 'ERR_NATS_AUTHENTICATION', 'Viol'));
  test('a certificate, below what the client wraps', () => {
    const wrapped = new ConnectionError('failed', { cause: node('CERT_HAS_EXPIRED') });
    check(wrapped, 'ERR_NATS_TLS', 'failed: node said so');
  });
  test('a reset in the middle of a handshake is no matter of certificates', () => {
    const reset = Object.assign(new Error('before secure TLS connection'), { code: 'ECONNRESET' });
    check(reset, 'ERR_NATS_UNREACHABLE', 'secure');
  });
});

test('an overloaded server does not refuse for good', () => {
  expect(isRefusal(new AuthorizationError('Authorization Violation'))).toBe(true);
  expect(isRefusal(new AuthorizationError('Authentication Timeout'))).toBe(false);
});
