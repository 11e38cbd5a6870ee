/** Seeded source of random numbers (sfc32): the same seed gives the same sequence everywhere. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` is any integer; `stream` separates independent sequences of one seed. */
  constructor(seed: number, stream = 0) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = stream >>> 0;
    // The first outputs of similar seeds resemble each other; by the twelfth they do not.
    for (let i = 0; i < 12; i++) this.nextUint32();
  }

  /** A whole number of 0 … 2³² − 1. */
  nextUint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number of [0, 1). */
  nextFraction(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** A whole number of 0 … bound − 1, for bounds up to 2³². */
  nextInt(bound: number): number {
    return Math.floor((this.nextUint32() / 2 ** 32) * bound);
  }

  /** True with the odds of `ratio − 1` in `ratio`: Nexmark's way to say how hot a hot key is. */
  nextHot(ratio: number): boolean {
    return this.nextInt(ratio) > 0;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.nextInt(list.length)] as T;
  }
}
