import type { Key } from '@millrace/core';
import { encodeKey } from '@millrace/core/internal';

/**
 * 32 bits of a key, spread: equal keys have equal ones. For filters in memory; nothing of it is
 * ever stored.
 */
export function keyHash(key: Key): number {
  if (typeof key === 'number' && (key | 0) === key) return mixed(key);
  if (typeof key === 'string') return hashOfText(key);
  return hashOfBytes(encodeKey(key));
}

/** MurmurHash3's finisher. */
function mixed(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

function hashOfText(text: string): number {
  let h = fnvOffset;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), fnvPrime);
  return mixed(h);
}

function hashOfBytes(bytes: Uint8Array): number {
  let h = fnvOffset;
  for (let i = 0; i < bytes.length; i += 1) h = Math.imul(h ^ bytes[i]!, fnvPrime);
  return mixed(h);
}
