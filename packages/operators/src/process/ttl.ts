import { type Duration, MillraceError } from '@millrace/core';
import { durationMs } from '@millrace/core/internal';
import type { StateTtl } from '@millrace/core/spi';

/**
 * When state that is not used any more is forgotten. After a restore of state that was stored
 * without it, or with another `time`, each entry counts as used when it is seen first.
 */
export interface TtlOptions {
  /** How long after it was used; more than 0. */
  readonly after: Duration;
  /**
   * `processing`, the default: by the clock. `event`: entries have the time of their record or
   * event timer, those of a processing timer that of the watermark. They expire when the watermark
   * is there, for an event timer when its time is. A replay gives the same results where the
   * watermark stands at the same records: in one slot, from one split.
   */
  readonly time?: StateTtl['time'] | undefined;
  /** What counts as use: `write`, the default, or `readAndWrite`. */
  readonly refreshOn?: StateTtl['refreshOn'] | undefined;
  /**
   * `hidden`, the default: what has expired is never seen. `visible`: it is, until it has been
   * removed, which happens in the course of the work some time later.
   */
  readonly expired?: StateTtl['expired'] | undefined;
}

/** @throws MillraceError `ERR_INVALID_DURATION` with the field `ttl.after` */
export function ttlOf({
  after,
  time = 'processing',
  refreshOn = 'write',
  expired = 'hidden',
}: TtlOptions): StateTtl {
  const field = 'ttl.after';
  const ms = durationMs(after, field);
  if (ms === 0) throw new MillraceError('ERR_INVALID_DURATION', `${field} is 0`, { field });
  return { durationMs: ms, time, refreshOn, expired };
}
