import { type Duration, durationMs, type Json } from '@millrace/core';
import {
  type KeyedStream,
  type OnError,
  type OutputRef,
  outputOf,
  type UnfinishedNode,
  type WindowedStream,
  windowedStreamOf,
} from '@millrace/core/spi';
import type { WindowAssigner } from './assigner.js';

/** Which firing of a window gave a result. */
export interface Pane {
  /** 0 for the first result of a window and key. */
  readonly index: number;
  /** `onTime`: the watermark passed the window's end; `late`: a late record came after that. */
  readonly timing: 'onTime' | 'late';
}

/** What each window result carries beside the aggregated fields. */
export interface WindowInfo<K> {
  readonly key: K;
  readonly window: { readonly start: number; readonly end: number };
  readonly pane: Pane;
}

export interface WindowOptions {
  /**
   * How long after its end a window still takes records; each fires it again. Default 0. Later
   * records go to the side output `late`; if nobody consumes it they are counted in
   * `numLateRecordsDropped` and sampled to the log.
   */
  readonly allowedLateness?: Duration | undefined;
  /**
   * `on` (default): where records change subtasks on their way to the window, each subtask aggregates
   * its own first, and only partial results go on: a row for many records of a key. Used where all
   * aggregators have `merge`, no lateness is allowed, nobody consumes the side outputs, and the error
   * policy is `fail`; not for custom windows and `windowProcess`. Where it leaves nearly as many rows
   * as records, these pass as they are. Sums of fractions may differ in their last bits.
   *
   * `off`: records go to the window one by one. Helps where `merge` costs much more than `add`, or
   * accumulators are as large as the records in them, as with `collect`.
   *
   * @example window('visits', tumbling('1m'), { preAggregate: 'off' })
   */
  readonly preAggregate?: 'on' | 'off' | undefined;
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
}

/** A window whose aggregation has not been said yet. */
export interface PendingWindow extends UnfinishedNode {
  readonly input: OutputRef;
  readonly assigner: WindowAssigner;
  readonly allowedLatenessMs: number;
  readonly options: WindowOptions;
}

/**
 * Cuts a keyed stream into windows of event time; an aggregation follows.
 *
 * @param id binds the windows' state
 * @param assigner `tumbling`, `sliding`, `session` or `customWindows`
 * @example payments.pipe(
 *   keyBy((p) => p.card),
 *   window('velocity', sliding('10m', '1m'), { allowedLateness: '1m' }),
 *   aggregate({ n: count(), spend: sum((p) => p.amount) }),
 * )
 */
export function window<T, K>(
  id: string,
  assigner: WindowAssigner,
  options: WindowOptions = {},
): (input: KeyedStream<T, K>) => WindowedStream<T, K> {
  const allowedLatenessMs = durationMs(options.allowedLateness ?? 0, 'allowedLateness');
  return (input) => {
    const pending: PendingWindow = {
      id,
      input: outputOf(input),
      assigner,
      allowedLatenessMs,
      options,
      missing: 'nothing is computed of this window: aggregate, reduce or windowProcess follows it',
    };
    pending.input.builder.begin(pending);
    return windowedStreamOf(pending);
  };
}

/** The assigner as settings of the graph. */
export function assignerSettings(assigner: WindowAssigner): { readonly [name: string]: Json } {
  switch (assigner.kind) {
    case 'tumbling':
      return { window: 'tumbling', sizeMs: assigner.sizeMs, offsetMs: assigner.offsetMs };
    case 'sliding': {
      const { sizeMs, slideMs, offsetMs } = assigner;
      return { window: 'sliding', sizeMs, slideMs, offsetMs };
    }
    case 'session':
      return { window: 'session', gapMs: assigner.gapMs };
    case 'custom':
      return { window: `custom ${assigner.name}` };
  }
}
