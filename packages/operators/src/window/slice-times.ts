import { type AlignedAssigner, sliceMs } from './assigner.js';

/** When slices of aligned windows begin, and when the windows that cover them end; epoch ms. */
export class SliceTimes {
  readonly sliceMs: number;
  private readonly assigner: AlignedAssigner;

  constructor(assigner: AlignedAssigner) {
    this.assigner = assigner;
    this.sliceMs = sliceMs(assigner);
  }

  /** Start of the slice that a timestamp is in. */
  startOf(timestamp: number): number {
    const { offsetMs } = this.assigner;
    return Math.floor((timestamp - offsetMs) / this.sliceMs) * this.sliceMs + offsetMs;
  }

  /** End of the last window that covers the slice. */
  lastEnd(sliceStart: number): number {
    const { sizeMs, slideMs, offsetMs } = this.assigner;
    return Math.floor((sliceStart - offsetMs) / slideMs) * slideMs + offsetMs + sizeMs;
  }

  /** End of the first window that covers the slice. */
  firstEnd(sliceStart: number): number {
    const { sizeMs, slideMs } = this.assigner;
    const last = this.lastEnd(sliceStart);
    const earlier = Math.floor((last - (sliceStart + this.sliceMs)) / slideMs);
    return last - Math.min(earlier, Math.ceil(sizeMs / slideMs) - 1) * slideMs;
  }
}
