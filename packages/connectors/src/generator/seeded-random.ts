import type { Random } from '@millrace/core/spi';

/** Draws after which the bits of the seed have spread over the whole state. */
const mixingDraws = 12;
const two26 = 2 ** 26;
const two32 = 2 ** 32;
const two53 = 2 ** 53;

/**
 * Random numbers that depend on a seed and an index alone, so that record `index` can be made
 * again without making those before it. The generator is sfc32 (Doty-Humphrey, PractRand).
 */
export class SeededRandom implements Random {
  private readonly seedLow: number;
  private readonly seedHigh: number;
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 0;

  /** @param seed a safe integer of at least 0 */
  constructor(seed: number) {
    this.seedLow = (seed % two32) | 0;
    this.seedHigh = Math.floor(seed / two32) | 0;
  }

  /** Begins the sequence of an index, a safe integer of at least 0. */
  startAt(index: number): void {
    this.a = this.seedLow;
    this.b = this.seedHigh;
    this.c = (index % two32) | 0;
    this.counter = (Math.floor(index / two32) + 1) | 0;
    for (let draw = 0; draw < mixingDraws; draw += 1) this.next32();
  }

  /** Uniform in [0, 1), with 53 random bits. */
  next(): number {
    const high = this.next32() >>> 5;
    const low = this.next32() >>> 6;
    return (high * two26 + low) / two53;
  }

  private next32(): number {
    const { a, b, c, counter } = this;
    const sum = (a + b + counter) | 0;
    this.counter = (counter + 1) | 0;
    this.a = b ^ (b >>> 9);
    this.b = (c + (c << 3)) | 0;
    this.c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum;
  }
}
