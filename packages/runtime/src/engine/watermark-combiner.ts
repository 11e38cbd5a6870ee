/**
 * The watermark of several inputs: the lowest of those that are not idle. It never goes back, also
 * when an idle input comes back with an older one. An input that has ended (+∞) says nothing of the
 * others: while all of them are idle, the watermark stands.
 */
export class WatermarkCombiner {
  private readonly marks: Float64Array;
  private readonly isIdle: boolean[];
  private combined = -Infinity;

  constructor(inputs: number) {
    this.marks = new Float64Array(inputs).fill(-Infinity);
    this.isIdle = new Array<boolean>(inputs).fill(false);
  }

  get watermark(): number {
    return this.combined;
  }

  /** The input's watermark is `timeMs`; true when the combined one has moved. */
  advance(input: number, timeMs: number): boolean {
    this.isIdle[input] = false;
    if (timeMs > this.marks[input]!) this.marks[input] = timeMs;
    return this.combine();
  }

  /** The input's own watermark, also while it is idle. */
  markOf(input: number): number {
    return this.marks[input]!;
  }

  /** What is known of one input. */
  input(input: number): { readonly watermark: number; readonly isIdle: boolean } {
    return { watermark: this.marks[input]!, isIdle: this.isIdle[input]! };
  }

  /**
   * Takes up where a checkpoint stood. An input that was idle is waited for until it says so again:
   * it may have got records while there was no job.
   */
  restore(input: number, state: { readonly watermark: number; readonly combined: number }): void {
    this.marks[input] = state.watermark;
    this.combined = Math.max(this.combined, state.combined);
  }

  activate(input: number): void {
    this.isIdle[input] = false;
  }

  /** The input is idle; true when now all are that have not ended. */
  idle(input: number): boolean {
    this.isIdle[input] = true;
    this.combine();
    return this.allIdle;
  }

  /** Some inputs are idle, and all others have ended. */
  get allIdle(): boolean {
    let someIdle = false;
    for (let at = 0; at < this.marks.length; at += 1) {
      if (this.isIdle[at]) someIdle = true;
      else if (this.marks[at] !== Infinity) return false;
    }
    return someIdle;
  }

  private combine(): boolean {
    let lowest = Infinity;
    let someIdle = false;
    for (let i = 0; i < this.marks.length; i += 1) {
      if (this.isIdle[i]) someIdle = true;
      else if (this.marks[i]! < lowest) lowest = this.marks[i]!;
    }
    if ((someIdle && lowest === Infinity) || lowest <= this.combined) return false;
    this.combined = lowest;
    return true;
  }
}
