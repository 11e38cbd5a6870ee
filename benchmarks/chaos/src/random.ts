/** Random numbers that are the same for the same seed and name. */
export class Random {
  private state: number;

  constructor(seed: number, name: string) {
    this.state = seed | 0;
    for (const character of name) this.state = Math.imul(this.state ^ character.charCodeAt(0), 31);
  }

  /** Uniform in [0, 1): mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }
}
