import { type Duration, durationMs, MillraceError } from '@millrace/core';
import { coreLimits } from '@millrace/core/internal';

/** A window of event time: `start ≤ timestamp < end`, epoch ms. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

/** Windows of one length at a fixed distance. */
export interface AlignedAssigner {
  readonly kind: 'tumbling' | 'sliding';
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
}

/** A window for each burst of a key's records. */
export interface SessionAssigner {
  readonly kind: 'session';
  readonly gapMs: number;
}

/** Windows by a function of the timestamp. */
export interface CustomAssigner {
  readonly kind: 'custom';
  readonly name: string;
  readonly assign: (timestampMs: number) => readonly TimeWindow[];
}

export type WindowAssigner = AlignedAssigner | SessionAssigner | CustomAssigner;

export interface OffsetOptions {
  /** Moves all window borders, e.g. `'-1h'` is not a duration but `'23h'` of a day's window is. */
  readonly offset?: Duration | undefined;
}

function positive(duration: Duration, name: string): number {
  const ms = durationMs(duration, name);
  if (ms === 0) throw new MillraceError('ERR_INVALID_OPTION', `${name} is 0`, { field: name });
  return ms;
}

/**
 * Windows side by side: each record is in one.
 *
 * @example window('hourly', tumbling('1h'))
 */
export function tumbling(size: Duration, options: OffsetOptions = {}): AlignedAssigner {
  const sizeMs = positive(size, 'size');
  const offsetMs = durationMs(options.offset ?? 0, 'offset') % sizeMs;
  return { kind: 'tumbling', sizeMs, slideMs: sizeMs, offsetMs };
}

/**
 * Overlapping windows: one of length `size` begins each `slide`. A slide above the size leaves
 * records between windows out; that is refused.
 *
 * @example window('velocity', sliding('10m', '1m'))
 */
export function sliding(
  size: Duration,
  slide: Duration,
  options: OffsetOptions = {},
): AlignedAssigner {
  const sizeMs = positive(size, 'size');
  const slideMs = positive(slide, 'slide');
  if (slideMs > sizeMs) {
    throw new MillraceError(
      'ERR_INVALID_OPTION',
      `slide ${slide} is longer than size ${size}, so records between windows would be lost`,
      { field: 'slide' },
    );
  }
  if (Math.ceil(sizeMs / slideMs) > coreLimits.windowsPerRecordMax) {
    throw new MillraceError(
      'ERR_INVALID_OPTION',
      `each record would be in more than ${coreLimits.windowsPerRecordMax} windows`,
      { field: 'slide' },
    );
  }
  const offsetMs = durationMs(options.offset ?? 0, 'offset') % slideMs;
  return { kind: 'sliding', sizeMs, slideMs, offsetMs };
}

/**
 * A window for each burst of a key's records: it ends `gap` after the last of them. A record
 * exactly `gap` after the last one continues the session, as in Flink.
 *
 * @example window('visit', session('30m'))
 */
export function session(gap: Duration): SessionAssigner {
  return { kind: 'session', gapMs: positive(gap, 'gap') };
}

/**
 * Windows by a function of the timestamp alone. A record that is in none of them is left out, and
 * is not late.
 *
 * @param name for graphs and the job's fingerprint: change it when the function changes
 * @param assign the windows of a timestamp, each containing it; at most 4,096
 */
export function customWindows(
  name: string,
  assign: (timestampMs: number) => readonly TimeWindow[],
): CustomAssigner {
  return { kind: 'custom', name, assign };
}

/** Length of the slices that aligned windows can share: none crosses a window's border. */
export function sliceMs({ sizeMs, slideMs }: AlignedAssigner): number {
  let a = sizeMs;
  let b = slideMs;
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
