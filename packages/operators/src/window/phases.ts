import type { Operator, OperatorContext, OperatorPhases } from '@millrace/core/spi';
import { AlignedFinalPhase } from './aligned-final.js';
import { AlignedLocalPhase } from './aligned-local.js';
import { storageOf } from './aligned-operator.js';
import type { Fold } from './fold.js';
import { type LocalLimits, windowLimits } from './limits.js';
import { columnTypes, type PartialLayout } from './partial-rows.js';
import type { PendingWindow } from './window.js';

/**
 * A window in two phases: a local one that makes a partial row of many records of a key and slice,
 * or session; and a final one that has the state of the undivided operator.
 *
 * They stand for the undivided operator only where
 * - the error policy is `fail`: what fails in a merge is no record's failure;
 * - nobody consumes the side outputs `late` and `deadLetters`: whole records do not cross. Late ones
 *   are counted as ever;
 * - rows are given out (`onBarrier` does that) also ahead of a mark that the channel is idle: the
 *   final phase's watermark then goes on without it, and would make late what is held back.
 *
 * Sums of fractions may differ in their last bits, since they are added up in another order.
 */
export interface WindowPhases extends OperatorPhases {
  /** @param limits smaller ones for tests */
  createLocal(context: OperatorContext, limits?: LocalLimits): Operator;
}

/** Undefined where a window cannot be divided, or gains nothing by it. */
export function phasesOf(
  { assigner, allowedLatenessMs, options }: PendingWindow,
  fold: Fold,
): WindowPhases | undefined {
  // Late panes show how records came one by one. What is expanded keeps all records: nothing is saved.
  const isDivisible = fold.mergeable && allowedLatenessMs === 0 && fold.expand === undefined;
  if (options.preAggregate === 'off' || !isDivisible) return undefined;
  if (assigner.kind === 'custom' || assigner.kind === 'session') return undefined;
  if (storageOf({ assigner, fold }) !== 'slices') return undefined;
  const layout: PartialLayout = { fold, of: 'slices' };
  return {
    columns: columnTypes(layout),
    createLocal: (context, limits = windowLimits) =>
      new AlignedLocalPhase({ assigner, fold, limits }, context),
    createFinal: (context) => new AlignedFinalPhase({ assigner, latenessMs: 0, fold }, context),
  };
}
