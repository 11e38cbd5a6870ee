const c1 = 0xcc9e2d51;
const c2 = 0x1b873593;

/**
 * MurmurHash3_x86_32 by Austin Appleby, an unsigned 32-bit integer.
 *
 * @param length how many bytes of `bytes` to hash, from the start
 */
export function murmur3(bytes: Uint8Array, seed = 0, length = bytes.length): number {
  let hash = seed;
  const blocksEnd = length & ~3;
  for (let at = 0; at < blocksEnd; at += 4) {
    const block =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mixBlock(hash, block);
  }
  let tail = 0;
  for (let at = length - 1; at >= blocksEnd; at--) tail = (tail << 8) | bytes[at]!;
  if (blocksEnd < length) hash ^= scramble(tail);
  return finish(hash, length);
}

/** The hash of the nine bytes `first`, `high` and `low` (both big-endian), without an array. */
export function murmur3OfNineBytes(first: number, high: number, low: number): number {
  const block1 = first | ((high >>> 24) << 8) | (high & 0xff0000) | ((high & 0xff00) << 16);
  const block2 = (high & 0xff) | ((low >>> 24) << 8) | (low & 0xff0000) | ((low & 0xff00) << 16);
  return finish(mixBlock(mixBlock(0, block1), block2) ^ scramble(low & 0xff), 9);
}

function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const scrambled = Math.imul(block, c1);
  return Math.imul((scrambled << 15) | (scrambled >>> 17), c2);
}

function finish(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
