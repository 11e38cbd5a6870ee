import { decodeRecord, encodeRecord } from '@millrace/core/internal';

/**
 * A copy that later changes of the value do not reach. Flat collections of primitives, which
 * accumulators mostly are, are copied as such; anything else by way of its bytes.
 */
export function copyOfRecord(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value) && value.every(isPrimitive)) return value.slice();
  if (value instanceof Set && everyPrimitive(value)) return new Set(value);
  if (value instanceof Map && everyPrimitive(value.keys()) && everyPrimitive(value.values())) {
    return new Map(value);
  }
  return decodeRecord(encodeRecord(value));
}

const isPrimitive = (value: unknown): boolean => value === null || typeof value !== 'object';

function everyPrimitive(values: Iterable<unknown>): boolean {
  for (const value of values) if (!isPrimitive(value)) return false;
  return true;
}
