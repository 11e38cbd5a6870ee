import type { Operator, OperatorContext, OperatorPhases } from '@millrace/core/spi';
import { AlignedFinalPhase } from './aligned-final.js';
import { AlignedLocalPhase } from './aligned-local.js';
import { storageOf } from './aligned-operator.js';
import type { AlignedAssigner, SessionAssigner } from './assigner.js';
import type { Fold } from './fold.js';
import { type LocalLimits, windowLimits } from './limits.js';
import { columnTypes } from './partial-rows.js';
import { SessionFinalPhase } from './session-final.js';
import { SessionLocalPhase } from './session-local.js';
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
  switch (assigner.kind) {
    case 'custom':
      return undefined;
    case 'session':
      return sessionPhases(assigner, fold);
    default:
      return storageOf({ assigner, fold }) === 'slices' ? slicePhases(assigner, fold) : undefined;
  }
}

const slicePhases = (assigner: AlignedAssigner, fold: Fold): WindowPhases => ({
  columns: columnTypes({ fold, of: 'slices' }),
  createLocal: (context, limits = windowLimits) =>
    new AlignedLocalPhase({ assigner, fold, limits }, context),
  createFinal: (context) => new AlignedFinalPhase({ assigner, latenessMs: 0, fold }, context),
});

const sessionPhases = ({ gapMs }: SessionAssigner, fold: Fold): WindowPhases => ({
  columns: columnTypes({ fold, of: 'sessions' }),
  createLocal: (context, limits = windowLimits) =>
    new SessionLocalPhase({ gapMs, fold, limits }, context),
  createFinal: (context) => new SessionFinalPhase({ gapMs, latenessMs: 0, fold }, context),
});
