import { type BuiltJob, type Duration, durationMs, MillraceError } from '@millrace/core';
import type { SourceDefinition } from '@millrace/core/internal';
import { defaultSchedule } from '../checkpoint/coordinator.js';
import type { CheckpointSchedule } from '../checkpoint/coordinator-state.js';

/** How a job takes checkpoints, and where it goes on. */
export interface CheckpointOptions {
  /** Folder of this job's checkpoints; nothing else may be in it. */
  readonly folder: string;
  /** From the start of one to the start of the next. Default 1 s. */
  readonly interval?: Duration | undefined;
  /** From the end of one to the start of the next. Default: half of the interval. */
  readonly minPause?: Duration | undefined;
  /** After which a checkpoint is given up. Default 10 min. */
  readonly timeout?: Duration | undefined;
  /**
   * After which a checkpoint whose barriers wait behind records is given up, and the next one taken
   * unaligned. At most `timeout`; where it is the same, there is no fallback. Default 10 s, or half
   * of a `timeout` that is shorter than 20 s.
   */
  readonly alignmentTimeout?: Duration | undefined;
  /**
   * `allowed`: under backpressure, barriers overtake records that wait, which become part of the
   * checkpoint; such a one is restored with the same parallelism only. `never`: three checkpoints
   * in a row that are not aligned in time fail the attempt. Savepoints are aligned always.
   * Default `allowed`.
   */
  readonly unaligned?: 'allowed' | 'never' | undefined;
  /** Failed ones in a row that are endured; lack of space does not count. Default 3. */
  readonly toleratedFailures?: number | undefined;
  /** Committed checkpoints that are kept. Default 2. */
  readonly retained?: number | undefined;
  /**
   * Folder of a savepoint, or of another job's checkpoints, to begin with instead of the newest
   * checkpoint in `folder`; none that was taken with `drain`.
   */
  readonly from?: string | undefined;
  /**
   * With `from`: the id of one of the checkpoints there, or the name of one of the savepoints.
   * Default: the newest checkpoint.
   */
  readonly at?: string | undefined;
  /** With `from`: output published since then may be published again. */
  readonly acceptReplay?: boolean | undefined;
  /**
   * Operators whose stored state may be dropped, or that may begin without state; sources whose
   * positions, and sinks whose output may be dropped. Without it a restore that would do any of
   * these is refused.
   */
  readonly allowStateChange?: readonly string[] | undefined;
}

export function scheduleOf(options: CheckpointOptions): CheckpointSchedule {
  const { interval, minPause, timeout: given } = options;
  const { toleratedFailures, retained, unaligned } = { ...defaultSchedule, ...givenIn(options) };
  const timeoutMs = given === undefined ? defaultSchedule.timeoutMs : durationMs(given, 'timeout');
  const intervalMs =
    interval === undefined ? defaultSchedule.intervalMs : durationMs(interval, 'interval');
  if (intervalMs < 1) refuse('interval', 'must be at least 1 ms');
  if (!Number.isSafeInteger(retained) || retained < 1) refuse('retained', 'must be 1 or more');
  if (!Number.isSafeInteger(toleratedFailures) || toleratedFailures < 0) {
    refuse('toleratedFailures', 'must be 0 or more');
  }
  if (unaligned !== 'allowed' && unaligned !== 'never') {
    refuse('unaligned', 'must be allowed or never');
  }
  return {
    intervalMs,
    pauseMs: minPause === undefined ? intervalMs / 2 : durationMs(minPause, 'minPause'),
    timeoutMs,
    alignmentTimeoutMs: alignmentTimeoutMs(options, timeoutMs),
    unaligned,
    toleratedFailures,
    retained,
  };
}

function alignmentTimeoutMs({ alignmentTimeout }: CheckpointOptions, timeoutMs: number): number {
  if (alignmentTimeout === undefined) {
    return Math.min(defaultSchedule.alignmentTimeoutMs, timeoutMs / 2);
  }
  const ms = durationMs(alignmentTimeout, 'alignmentTimeout');
  if (ms > timeoutMs) refuse('alignmentTimeout', `is longer than the timeout of ${timeoutMs} ms`);
  return ms;
}

/** The options that are set. */
function givenIn(options: CheckpointOptions): Partial<CheckpointSchedule> {
  const { toleratedFailures, retained, unaligned } = options;
  return {
    ...(unaligned !== undefined && { unaligned }),
    ...(toleratedFailures !== undefined && { toleratedFailures }),
    ...(retained !== undefined && { retained }),
  };
}

function refuse(field: string, detail: string): never {
  throw new MillraceError('ERR_INVALID_OPTION', `${field} ${detail}`, { field });
}

/**
 * A source that cannot be read again would lose records whenever the job is restored.
 *
 * @throws MillraceError `ERR_LOSS_NOT_ALLOWED`
 */
export function refuseLoss({ graph, functions }: BuiltJob): void {
  for (const node of graph.nodes) {
    if (node.kind !== 'source' || node.allowLoss === true) continue;
    const { source } = functions.nodes.get(node.id) as SourceDefinition;
    if (source.replay === 'exact') continue;
    const detail = `${source.type} gives its records once`;
    throw new MillraceError('ERR_LOSS_NOT_ALLOWED', detail, { operator: node.id });
  }
}
