import type { Random } from '@millrace/core/spi';

/**
 * Random numbers that a seed fixes (sfc32), with forks: what one part of a simulation draws does
 * not shift what another one draws.
 */
export class SeededRandom implements Random {
  private readonly identity: number;
  private readonly salt: number;
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed any whole number; its lower 53 bits count */
  constructor(seed: number, salt = 0) {
    this.identity = mix(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
    this.salt = salt >>> 0;
    this.a = mix(this.identity, 0x9e3779b9);
    this.b = mix(this.identity, this.salt ^ 0x243f6a88);
    this.c = mix(this.salt, 0xb7e15162);
    for (let i = 0; i < 12; i += 1) this.next32();
  }

  /**
   * Another generator, fixed by this one's seed and the label alone: it does not matter how much
   * was drawn here before.
   */
  fork(label: string): SeededRandom {
    return new SeededRandom(hashText(this.identity, label), hashText(this.salt + 1, label));
  }

  /** From 0 (included) to 1. An arrow function, since some take it off its object. */
  readonly next = (): number => this.next32() / 2 ** 32;

  /** A whole number, `min` and `max` included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** A number from `min` to `max`, small ones as likely as large ones by their order of size. */
  spread(min: number, max: number): number {
    return min * (max / min) ** this.next();
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** @throws RangeError for an empty list */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to choose from');
    return from[Math.floor(this.next() * from.length)]!;
  }

  private next32(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }
}

/** Two words to one, all bits of both in it (murmur3's last step). */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0xcc9e2d51), 0x1b873593);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** FNV-1a of a text, begun with a word. */
export function hashText(start: number, text: string): number {
  let hash = (start ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(hash, text.length);
}
