import { MillraceError } from '../errors/millrace-error.js';
import type { AllIdlePolicy, WatermarkGenerator, WatermarkStrategy } from '../spi/watermark.js';
import { type Duration, durationMs } from './duration.js';

/** Settings that all watermark strategies share. */
export interface WatermarkOptions {
  /** A split without records for this long is idle and holds nothing up. Default: never. */
  readonly idleAfter?: Duration | undefined;
  /** What happens while all splits are idle. Default `'hold'`. */
  readonly allIdle?: AllIdlePolicy | undefined;
  /**
   * Batches are cut, and watermarks sent, where the watermark crosses a multiple of this; so they
   * depend on the data alone. Default 200 ms. Larger is cheaper when event time runs fast.
   */
  readonly step?: Duration | undefined;
  /**
   * Records further ahead of the wall clock than this are refused: one of them would make all that
   * follow late. Default `'1d'`; `'off'` for simulated times.
   */
  readonly farFuture?: Duration | 'off' | undefined;
  /** Sources of one group wait for their slowest split when further ahead than `maxDrift`. */
  readonly align?: { readonly group: string; readonly maxDrift: Duration } | undefined;
}

export interface BoundedWatermarkOptions extends WatermarkOptions {
  /** How far behind the newest record another may be. Default 0: records come in order. */
  readonly outOfOrderness?: Duration | undefined;
}

type Timestamp<T> = ((record: T) => number) | undefined;

function strategy<T>(
  kind: WatermarkStrategy<T>['kind'],
  timestamp: Timestamp<T>,
  options: BoundedWatermarkOptions,
  own: Partial<WatermarkStrategy<T>> = {},
): WatermarkStrategy<T> {
  const { idleAfter, align, farFuture = '1d' } = options;
  const stepMs = durationMs(options.step ?? '200ms', 'step');
  if (stepMs === 0) throw new MillraceError('ERR_INVALID_OPTION', 'step is 0', { field: 'step' });
  return {
    kind,
    timestamp,
    outOfOrdernessMs: durationMs(options.outOfOrderness ?? 0, 'outOfOrderness'),
    stepMs,
    idleAfterMs: idleAfter === undefined ? Infinity : durationMs(idleAfter, 'idleAfter'),
    allIdle: options.allIdle ?? 'hold',
    farFutureMs: farFuture === 'off' ? Infinity : durationMs(farFuture, 'farFuture'),
    alignment:
      align === undefined
        ? undefined
        : { group: align.group, maxDriftMs: durationMs(align.maxDrift, 'align.maxDrift') },
    punctuation: undefined,
    generator: undefined,
    ...own,
  };
}

/**
 * Watermarks that follow the highest timestamp at a fixed distance.
 *
 * @param timestamp event time of a record in epoch ms; left out, the source's own times are used
 * @example watermarks((p) => p.at, { outOfOrderness: '4s', idleAfter: '30s' })
 */
export function watermarks<T>(
  timestamp?: (record: T) => number,
  options: BoundedWatermarkOptions = {},
): WatermarkStrategy<T> {
  return strategy('bounded', timestamp, options);
}

/** For records whose times never go back within a split. */
export function monotonousWatermarks<T>(
  timestamp?: (record: T) => number,
  options: WatermarkOptions = {},
): WatermarkStrategy<T> {
  return strategy('monotonous', timestamp, options);
}

/**
 * For streams in which some records say how far time has come.
 *
 * @param punctuation the watermark that a record carries (epoch ms), or undefined
 */
export function punctuatedWatermarks<T>(
  timestamp: ((record: T) => number) | undefined,
  punctuation: (record: T, timestampMs: number) => number | undefined,
  options: WatermarkOptions = {},
): WatermarkStrategy<T> {
  return strategy('punctuated', timestamp, options, { punctuation });
}

/** Watermarks by a generator of the author's own, one for each split. */
export function customWatermarks<T>(
  timestamp: ((record: T) => number) | undefined,
  generator: () => WatermarkGenerator<T>,
  options: WatermarkOptions = {},
): WatermarkStrategy<T> {
  return strategy('custom', timestamp, options, { generator });
}

/** No event time: timestamps are the source's, or 0, and windows by event time never fire. */
export function noWatermarks<T>(): WatermarkStrategy<T> {
  return strategy<T>('none', undefined, { farFuture: 'off' });
}
