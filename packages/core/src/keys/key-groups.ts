import { ByteWriter } from '../codec/byte-writer.js';
import { MillraceError } from '../errors/millrace-error.js';
import { type Key, keyTags, writeKey } from './key-codec.js';
import { murmur3, murmur3OfNineBytes } from './murmur3.js';
import { orderedBits, orderedBitsOf } from './ordered-double.js';

/** The most key groups a job may have, as in Flink. */
const keyGroupCountMax = 32_768;

/** Consecutive key groups, both ends included. */
export interface KeyGroupRange {
  readonly first: number;
  readonly last: number;
}

const scratch = new ByteWriter();

/**
 * The unsigned 32-bit hash of a key: murmur3 of its canonical bytes.
 *
 * @throws MillraceError `ERR_INVALID_KEY`
 */
export function keyHash(key: Key): number {
  // Numbers are the most frequent keys; their nine bytes are hashed without being written.
  if (typeof key === 'number') {
    orderedBitsOf(key);
    return murmur3OfNineBytes(keyTags.number, orderedBits.high, orderedBits.low);
  }
  scratch.reset();
  writeKey(scratch, key);
  return murmur3(scratch.bytes, 0, scratch.length);
}

/**
 * The key group of a key, 0 to `groups` − 1. Called per record: `groups` is checked where the
 * job is created, not here.
 *
 * @throws MillraceError `ERR_INVALID_KEY`
 */
export function keyGroupOf(key: Key, groups: number): number {
  return keyHash(key) % groups;
}

/** The key group of a key given as the bytes of `encodeKey`. */
export function keyGroupOfBytes(bytes: Uint8Array, groups: number): number {
  return murmur3(bytes) % groups;
}

/**
 * The key groups that one of `parallelism` subtasks owns; never empty. The arithmetic is that of
 * Flink's `KeyGroupRangeAssignment`: sizes differ by at most one.
 *
 * @throws MillraceError `ERR_INVARIANT` unless 0 ≤ subtask < parallelism ≤ groups
 */
export function keyGroupRange(subtask: number, parallelism: number, groups: number): KeyGroupRange {
  assertLayout(parallelism, groups);
  assertIndex('subtask', subtask, parallelism);
  return {
    first: Math.ceil((subtask * groups) / parallelism),
    last: Math.ceil(((subtask + 1) * groups) / parallelism) - 1,
  };
}

/**
 * The subtask that owns a key group; the inverse of {@link keyGroupRange}.
 *
 * @throws MillraceError `ERR_INVARIANT` unless 0 ≤ keyGroup < groups and parallelism ≤ groups
 */
export function subtaskOf(keyGroup: number, parallelism: number, groups: number): number {
  assertLayout(parallelism, groups);
  assertIndex('key group', keyGroup, groups);
  return Math.floor((keyGroup * parallelism) / groups);
}

function assertLayout(parallelism: number, groups: number): void {
  assertIndex('number of key groups', groups - 1, keyGroupCountMax);
  assertIndex('parallelism', parallelism - 1, groups);
}

function assertIndex(name: string, index: number, end: number): void {
  if (Number.isInteger(index) && index >= 0 && index < end) return;
  throw new MillraceError('ERR_INVARIANT', `${name} out of range: index ${index} of ${end}`);
}
