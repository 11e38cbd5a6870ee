import {
  type Operator,
  type OperatorContext,
  type Outputs,
  type Prefetch,
  type Progress,
  type RecordBatch,
  RecordFailure,
} from '@millrace/core/spi';
import { AlignedWindowOperator, type WindowSpec } from './aligned-operator.js';
import { closureOf } from './fold-code.js';
import { LateRecords } from './late-records.js';
import { rowsAtOnce } from './limits.js';
import { mergeIntoStatements, storeStatements, takePartialOf } from './partial-input.js';
import { openColumns, type PartialLayout, partialColumns } from './partial-rows.js';
import { trackingOf } from './tracking.js';

/** What is made of the windows' records by the local phases: only its text is generated. */
type TakeBatch = (batch: RecordBatch, from: number) => number;

/**
 * The final phase of windows in slices: the undivided operator, which takes partial rows instead of
 * records. Its state is the same, so that either goes on from the other's checkpoint.
 */
export class AlignedFinalPhase implements Operator {
  private readonly windows: AlignedWindowOperator;
  private readonly take: TakeBatch;

  constructor(spec: WindowSpec, context: OperatorContext) {
    this.windows = new AlignedWindowOperator(spec, context);
    const parts: LoopParts = {
      spec,
      layout: { fold: spec.fold, of: 'slices' },
      target: this.windows,
      late: new LateRecords(context),
      context,
    };
    this.take = context.codegen === 'off' ? plainLoop(parts) : generatedLoop(parts);
  }

  open(): Promise<void> {
    return this.windows.open();
  }

  prefetch(next: Prefetch): Promise<void> | undefined {
    return this.windows.prefetch(next);
  }

  processBatch(batch: RecordBatch, from: number): number {
    return this.take(batch, from);
  }

  retryFiring(): void {
    this.windows.retryFiring();
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    return this.windows.onWatermark(timeMs, out);
  }
}

interface LoopParts {
  readonly spec: WindowSpec;
  readonly layout: PartialLayout;
  readonly target: AlignedWindowOperator;
  readonly late: LateRecords;
  readonly context: OperatorContext;
}

function generatedLoop({ spec: { fold }, layout, target, late, context }: LoopParts): TakeBatch {
  const tracking = trackingOf(context);
  const epoch = tracking === 'tracked' ? 'const epoch = table.epoch;' : '';
  const { names, values } = closureOf(fold);
  const body = `const slots = new Int32Array(${rowsAtOnce});
return function take(batch, from) {
  const timestamps = batch.timestamps, keys = batch.keys, to = batch.count;
  ${openColumns(layout, 'batch')}
  let i = from;
  try {
    while (i < to) {
      const t = timestamps[i];
      if ((t < target.lo || t >= target.hi) && !target.seek(t)) {
        late.drop(part${partialColumns.records}[i], keys[i], t);
        i += 1;
        continue;
      }
      const lo = target.lo, hi = target.hi, table = target.table, start = i;
      const most = Math.min(to, start + ${rowsAtOnce});
      let end = start + 1;
      while (end < most && timestamps[end] >= lo && timestamps[end] < hi) end += 1;
      table.slotsOf(keys, start, end, slots);
      ${epoch}
      for (; i < end; i += 1) {
        const found = slots[i - start];
        if (found < 0) {
          const slot = ~found;
          ${storeStatements(fold, layout)}
        } else {
          const slot = found;
          ${mergeIntoStatements(fold, layout, tracking)}
        }
      }
    }
  } catch (error) {
    throw new RecordFailure(i, operatorId, error);
  }
  return to;
};`;
  return context.compile<TakeBatch>('partials', {
    names: [...names, 'target', 'late', 'RecordFailure', 'operatorId'],
    values: [...values, target, late, RecordFailure, context.operatorId],
    body,
  });
}

function plainLoop({ spec: { fold }, layout, target, late, context }: LoopParts): TakeBatch {
  const partials = takePartialOf(fold, layout, context);
  const takeRow = (batch: RecordBatch, i: number): void => {
    const t = batch.timestamps[i]!;
    const key = batch.keys![i]!;
    if ((t < target.lo || t >= target.hi) && !target.seek(t)) {
      late.drop(batch.columns[partialColumns.records]![i] as number, key, t);
      return;
    }
    const { table } = target;
    const found = table.find(key);
    if (found < 0) partials.store(table, table.slot(key), batch, i);
    else partials.merge(table, found, batch, i);
  };
  return (batch, from) => {
    for (let i = from; i < batch.count; i += 1) {
      try {
        takeRow(batch, i);
      } catch (error) {
        throw new RecordFailure(i, context.operatorId, error);
      }
    }
    return batch.count;
  };
}
