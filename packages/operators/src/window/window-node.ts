import { MillraceError } from '@millrace/core';
import {
  type DeadLetter,
  type OperatorContext,
  type OperatorFactory,
  type StreamWithSides,
  streamWithSidesOf,
  type WindowedStream,
  windowOf,
} from '@millrace/core/spi';
import { AlignedWindowOperator, storageOf } from './aligned-operator.js';
import type { Fold } from './fold.js';
import { phasesOf } from './phases.js';
import { SessionWindowOperator } from './session-operator.js';
import { assignerSettings, type PendingWindow } from './window.js';

/** Side outputs of a window: records that came too late, and those at which a function threw. */
export type WindowSides<T> = { readonly late: T; readonly deadLetters: DeadLetter<T> };

/** Adds the node of a window and its aggregation. */
export function addWindow<T, R>(
  windowed: WindowedStream<T, unknown>,
  aggregation: string,
  fold: Fold,
): StreamWithSides<R, WindowSides<T>> {
  const pending = windowOf(windowed) as PendingWindow;
  const { id, input, assigner, allowedLatenessMs, options } = pending;
  if (assigner.kind === 'session' && !fold.mergeable) {
    throw new MillraceError('ERR_INVALID_OPTION', 'session windows need aggregators with merge', {
      operator: id,
    });
  }
  const ref = input.builder.add({
    id,
    kind: 'keyedOneInput',
    operator: 'window',
    definition: factoryOf(pending, fold),
    inputs: [
      {
        from: input,
        projection: { inputs: fold.inputs, recordSides: ['late', 'deadLetters'] },
      },
    ],
    settings: {
      ...assignerSettings(assigner),
      ...(allowedLatenessMs === 0 ? {} : { allowedLatenessMs }),
      ...(options.preAggregate === 'off' ? { preAggregate: 'off' } : {}),
      [aggregation]: fold.parts.map(({ name, aggregator }) => `${name}: ${aggregator.type}`),
      storage: assigner.kind === 'session' ? 'sessions' : storageOf({ assigner, fold }),
    },
    state: { rows: { kind: 'keyTable', version: 1 } },
    sides: ['late', 'deadLetters'],
    onError: options.onError,
    parallelism: options.parallelism,
    finishes: pending,
  });
  return streamWithSidesOf(ref, ['late', 'deadLetters']);
}

function factoryOf(pending: PendingWindow, fold: Fold): OperatorFactory {
  const { assigner, allowedLatenessMs: latenessMs } = pending;
  return {
    form: 'factory',
    fuses: true,
    create: (context: OperatorContext) =>
      assigner.kind === 'session'
        ? new SessionWindowOperator({ gapMs: assigner.gapMs, latenessMs, fold }, context)
        : new AlignedWindowOperator({ assigner, latenessMs, fold }, context),
    phases: phasesOf(pending, fold),
  };
}
