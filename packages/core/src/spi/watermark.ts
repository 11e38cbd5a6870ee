/** Decides the watermark of one split; one instance for each split. */
export interface WatermarkGenerator<T = unknown> {
  /** Called for each record after its timestamp is known. */
  onRecord(value: T, timestampMs: number): void;
  /** The watermark now: no further record of this split has a smaller timestamp. */
  current(): number;
}

/**
 * What a source does while none of its splits has data.
 *
 * - `hold`: its watermark stands, and downstream does not wait for this source.
 * - `advance`: its watermark moves to the highest of its splits first.
 */
export type AllIdlePolicy = 'hold' | 'advance';

/** Where a source's event times and watermarks come from. All times are milliseconds. */
export interface WatermarkStrategy<T> {
  readonly kind: 'bounded' | 'monotonous' | 'punctuated' | 'custom' | 'none';
  /** Event time of a record, epoch ms; undefined: the source's own timestamps. */
  readonly timestamp: ((record: T) => number) | undefined;
  readonly outOfOrdernessMs: number;
  /** A batch is cut, and a watermark sent, where the watermark crosses a multiple of this. */
  readonly stepMs: number;
  /**
   * A split without a record for this long of processing time is idle; +∞: never. While other splits
   * of its reader have records, only one of which the reader knows that it has none.
   */
  readonly idleAfterMs: number;
  readonly allIdle: AllIdlePolicy;
  /** Records further ahead of the wall clock than this are refused; +∞: none are. */
  readonly farFutureMs: number;
  /** Splits of one group are paused while more than `maxDriftMs` ahead of its slowest. */
  readonly alignment: { readonly group: string; readonly maxDriftMs: number } | undefined;
  /** For `punctuated`: the watermark a record carries, or undefined. */
  readonly punctuation: ((record: T, timestampMs: number) => number | undefined) | undefined;
  /** For `custom`. */
  readonly generator: (() => WatermarkGenerator<T>) | undefined;
}
