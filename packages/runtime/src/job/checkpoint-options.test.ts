import { describe, expect, test } from 'vitest';
import { type CheckpointOptions, scheduleOf } from './checkpoint-options.js';

const schedule = (options: Partial<CheckpointOptions> = {}) =>
  scheduleOf({ folder: 'state', ...options });

describe('the alignment timeout', () => {
  test('is 10 s, or half of a short timeout, unless it is said', () => {
    expect(schedule()).toMatchObject({ alignmentTimeoutMs: 10_000, unaligned: 'allowed' });
    expect(schedule({ timeout: '1m' }).alignmentTimeoutMs).toBe(10_000);
    expect(schedule({ timeout: '8s' }).alignmentTimeoutMs).toBe(4_000);
    expect(schedule({ alignmentTimeout: '2s', unaligned: 'never' })).toMatchObject({
      alignmentTimeoutMs: 2_000,
      unaligned: 'never',
    });
  });

  test('is no longer than the timeout', () => {
    expect(schedule({ alignmentTimeout: '8s', timeout: '8s' }).alignmentTimeoutMs).toBe(8_000);
    expect(() => schedule({ alignmentTimeout: '9s', timeout: '8s' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', field: 'alignmentTimeout' }),
    );
  });

  test('has no third way', () => {
    expect(() => schedule({ unaligned: 'maybe' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', field: 'unaligned' }),
    );
  });
});
