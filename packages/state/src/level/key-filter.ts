import { stateLimits } from '../limits.js';

/** Words of 32 bits in a block: a block is one line of the processor's cache. */
const blockWords = 16;
/** Bits set for each key. */
const probes = 6;
const bitsPerKey = 10;
/** Each further part has this many times the room of the one before. */
const growth = 4;

interface FilterPart {
  readonly words: Uint32Array;
  readonly keysMax: number;
  keys: number;
}

/**
 * Says of a key's hash whether it may have been added, or surely has not: 10 bits a key, about one
 * in fifty wrong. A blocked Bloom filter (Putze et al., "Cache-, hash- and space-efficient Bloom
 * filters", 2007), in parts since it grows (Almeida et al., "Scalable Bloom filters", 2007).
 */
export class KeyFilter {
  /** The largest, which is the last one, first. */
  private parts: FilterPart[] = [];

  /** Keys added that were not there before, as far as can be told. */
  get size(): number {
    return this.parts.reduce((sum, { keys }) => sum + keys, 0);
  }

  get bytes(): number {
    return this.parts.reduce((sum, { words }) => sum + words.byteLength, 0);
  }

  add(hash: number): void {
    if (this.has(hash)) return;
    let [part] = this.parts;
    if (part === undefined || part.keys === part.keysMax) {
      part = newPart((part?.keysMax ?? stateLimits.filterKeysInitial / growth) * growth);
      this.parts.unshift(part);
    }
    part.keys += 1;
    const { words } = part;
    const block = blockOf(hash, words);
    let bits = bitsOf(hash);
    for (let i = 0; i < probes; i += 1) {
      words[block + ((bits >>> 5) & (blockWords - 1))]! |= 1 << (bits & 31);
      bits = next(bits);
    }
  }

  has(hash: number): boolean {
    for (const { words } of this.parts) if (isIn(words, hash)) return true;
    return false;
  }

  clear(): void {
    this.parts = [];
  }
}

function isIn(words: Uint32Array, hash: number): boolean {
  const block = blockOf(hash, words);
  let bits = bitsOf(hash);
  for (let i = 0; i < probes; i += 1) {
    const word = words[block + ((bits >>> 5) & (blockWords - 1))]!;
    if ((word & (1 << (bits & 31))) === 0) return false;
    bits = next(bits);
  }
  return true;
}

/** The hash as a fraction of the blocks: their number need be no power of two. */
function blockOf(hash: number, words: Uint32Array): number {
  const blocks = words.length / blockWords;
  return Math.floor((hash / 2 ** 32) * blocks) * blockWords;
}

/** The block is chosen by the upper bits; these are mixed anew. */
const bitsOf = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;

const next = (bits: number): number => (Math.imul(bits, 0x9e3779b1) + 0x7f4a7c15) >>> 9;

function newPart(keysMax: number): FilterPart {
  const blocks = Math.ceil((keysMax * bitsPerKey) / (32 * blockWords));
  return { words: new Uint32Array(blocks * blockWords), keysMax, keys: 0 };
}
