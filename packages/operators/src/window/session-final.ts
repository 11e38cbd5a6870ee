import {
  type KeyTable,
  type Operator,
  type OperatorContext,
  type Outputs,
  type Prefetch,
  type Progress,
  type RecordBatch,
  RecordFailure,
} from '@millrace/core/spi';
import { type Fold, withReserved } from './fold.js';
import { closureOf } from './fold-code.js';
import {
  mergeIntoStatements,
  storeStatements,
  type TakePartial,
  takePartialOf,
} from './partial-input.js';
import { openColumns, type PartialLayout, partialColumns } from './partial-rows.js';
import { type PartialSession, sessionCells, sessionNumbers } from './session-code.js';
import { type SessionSpec, SessionWindowOperator } from './session-operator.js';
import { trackingOf } from './tracking.js';

type TakeBatch = (batch: RecordBatch, from: number, out: Outputs) => number;

/**
 * The final phase of session windows: the undivided operator, which takes partial sessions instead
 * of records. Its state is the same, so that either goes on from the other's checkpoint.
 */
export class SessionFinalPhase implements Operator {
  readonly gapMs: number;
  readonly latest: KeyTable;
  readonly windows: SessionWindowOperator;
  private readonly take: TakeBatch;
  private readonly partials: TakePartial;

  constructor(spec: SessionSpec, context: OperatorContext) {
    this.windows = new SessionWindowOperator(spec, context);
    this.gapMs = spec.gapMs;
    this.latest = this.windows.latest;
    const layout: PartialLayout = { fold: spec.fold, of: 'sessions' };
    const fold = withReserved(spec.fold, sessionNumbers);
    this.partials = takePartialOf(fold, layout, context);
    this.take =
      context.codegen === 'off'
        ? plainLoop(this, context)
        : generatedLoop(fold, layout, this, context);
  }

  open(): Promise<void> {
    return this.windows.open();
  }

  prefetch(next: Prefetch): Promise<void> | undefined {
    return this.windows.prefetch(next);
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs): number {
    return this.take(batch, from, out);
  }

  /** Takes a row that does not begin within its key's latest session. */
  takeElsewhere(batch: RecordBatch, i: number, out: Outputs): void {
    const { partials } = this;
    const partial: PartialSession = {
      key: batch.keys![i]!,
      timestamp: batch.timestamps[i]!,
      lastMs: batch.columns[partialColumns.lastMs]![i] as number,
      records: batch.columns[partialColumns.records]![i] as number,
      storeIn: (table, slot) => partials.store(table, slot, batch, i),
      mergeInto: (table, slot) => partials.merge(table, slot, batch, i),
    };
    this.windows.takePartial(partial, out);
  }

  retryFiring(): void {
    this.windows.retryFiring();
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    return this.windows.onWatermark(timeMs, out);
  }
}

const { start, end, nextPane } = sessionCells;

/** Rows that touch their key's only session, or begin it, are taken at once. */
function generatedLoop(
  fold: Fold,
  layout: PartialLayout,
  target: SessionFinalPhase,
  context: OperatorContext,
): TakeBatch {
  const tracking = trackingOf(context);
  const { names, values } = closureOf(fold);
  const body = `return function take(batch, from, out) {
  const timestamps = batch.timestamps, keys = batch.keys, to = batch.count;
  ${openColumns(layout, 'batch')}
  const gap = target.gapMs, table = target.latest${tracking === 'tracked' ? ', epoch = table.epoch' : ''};
  let i = from;
  try {
    for (; i < to; i += 1) {
      const t = timestamps[i], key = keys[i], sessionEnd = part${partialColumns.lastMs}[i] + gap;
      const found = table.find(key);
      if (found >= 0) {
        const slot = found, cells = table.numbers, row = slot * ${fold.row.numbers.length};
        if (
          t <= cells[row + ${end}] && sessionEnd >= cells[row + ${start}] && cells[row + ${nextPane}] <= 0 &&
          (t >= cells[row + ${start}] || windows.isAlone(key))
        ) {
          ${mergeIntoStatements(fold, layout, tracking)}
          if (t < cells[row + ${start}]) cells[row + ${start}] = t;
          if (sessionEnd > cells[row + ${end}]) cells[row + ${end}] = sessionEnd;
          continue;
        }
      } else if (sessionEnd >= windows.watermarkMs && windows.isAlone(key)) {
        const slot = table.slot(key), cells = table.numbers, row = slot * ${fold.row.numbers.length};
        ${storeStatements(fold, layout)}
        cells[row + ${start}] = t;
        cells[row + ${end}] = sessionEnd;
        windows.began(key);
        continue;
      }
      target.takeElsewhere(batch, i, out);
    }
  } catch (error) {
    throw new RecordFailure(i, operatorId, error);
  }
  return to;
};`;
  return context.compile<TakeBatch>('partials', {
    names: [...names, 'target', 'windows', 'RecordFailure', 'operatorId'],
    values: [...values, target, target.windows, RecordFailure, context.operatorId],
    body,
  });
}

function plainLoop(target: SessionFinalPhase, context: OperatorContext): TakeBatch {
  return (batch, from, out) => {
    for (let i = from; i < batch.count; i += 1) {
      try {
        target.takeElsewhere(batch, i, out);
      } catch (error) {
        throw new RecordFailure(i, context.operatorId, error);
      }
    }
    return batch.count;
  };
}
