import { defineJob, type KeyedStream, type Stream, watermarks } from '@millrace/core';
import type {
  Aggregator,
  Counter,
  GeneratedSource,
  Operator,
  OperatorContext,
  OperatorFactory,
  OperatorPhases,
  Outputs,
  Progress,
  RecordLoop,
} from '@millrace/core/spi';
import { RecordBatch, RecordFailure } from '@millrace/core/spi';
import {
  aggregate,
  keyBy,
  sinkTo,
  type WindowAssigner,
  type WindowOptions,
  window,
} from '@millrace/operators';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { type PlainState, PlainTable } from './two-phase-tables.js';

/** Keys of both kinds that tables know. */
export interface Rec {
  readonly key: number | string;
  readonly at: number;
  readonly v: number;
}

export type Parts = Readonly<Record<string, Aggregator<Rec, unknown>>>;

/** The bounds of a local phase. */
export interface LocalLimits {
  readonly localRowsMax: number;
  readonly localRecordsMax: number;
  readonly reductionRecordsMin: number;
  readonly reductionRowsShare: number;
  readonly passRecords: number;
}

export type Phases = OperatorPhases & {
  createLocal(context: OperatorContext, limits?: LocalLimits): Operator;
};

/** The factory of a window's operator. */
export function windowFactory(
  assigner: WindowAssigner,
  parts: Parts,
  options: WindowOptions = {},
): OperatorFactory & { readonly phases?: Phases | undefined } {
  const job = defineJob('phases', {}, (builder) => {
    const strategy = watermarks<Rec>((r) => r.at, { outOfOrderness: 0 });
    const input: Stream<Rec> = builder.source('in', new ManualSource<Rec>(), strategy);
    input
      .pipe(
        keyBy((r: Rec) => r.key as string) as (input: Stream<Rec>) => KeyedStream<Rec, string>,
        window('w', assigner, options),
        aggregate(parts as Record<string, Aggregator<Rec, unknown>>),
      )
      .pipe(sinkTo('out', new RecordingSink<unknown>()));
  });
  return job.build().functions.nodes.get('w') as OperatorFactory;
}

/** What an operator is run with. */
export interface Run {
  readonly codegen: 'on' | 'off';
  readonly state: PlainState;
  readonly counters: Map<string, number>;
  readonly columns: readonly ('number' | 'any')[];
}

const counterOf = (counters: Map<string, number>, name: string): Counter => ({
  get value() {
    return counters.get(name) ?? 0;
  },
  inc(by = 1) {
    counters.set(name, (counters.get(name) ?? 0) + by);
  },
});

let texts = 0;

function compile(source: GeneratedSource): unknown {
  texts += 1;
  return new Function(...source.names, `// ${texts}\n${source.body}`)(...source.values);
}

/** The loop round a record's text, as the engine makes it. */
function loopOf(loop: RecordLoop, columns: number): Operator['processBatch'] {
  const names = Array.from({ length: columns }, (_, k) => k);
  const body = `return function records(batch, from, out) {
  const to = batch.count;
  ${loop.before}
  let i = from;
  try {
    for (; i < to; i += 1) {
      const t = batch.timestamps[i], value = batch.values[i], key = batch.keys[i];
      ${names.map((k) => `const x${k} = batch.columns[${k}][i];`).join(' ')}
      ${loop.record}
    }
  } catch (error) {
    throw error instanceof RecordFailure ? error : new RecordFailure(i, 'w', error);
  }
  return i;
};`;
  const source = {
    names: ['RecordFailure', ...loop.names],
    values: [RecordFailure, ...loop.values],
    body,
  };
  return compile(source) as Operator['processBatch'];
}

export function contextOf({ codegen, state, counters, columns }: Run): OperatorContext {
  return {
    operatorId: 'w',
    metrics: { counter: (name) => counterOf(counters, name), gauge: () => undefined },
    log: { log: () => undefined },
    codegen,
    policy: { action: 'fail' },
    compile: (_label, source) => compile(source),
    compileRecordLoop: (loop) => loopOf(loop, columns.length),
    keyTables: (name, spec) => state.keyTables(name, spec),
    keyGroupTimes: (name) => state.keyGroupTimes(name),
    scratchTable: (spec) => new PlainTable(spec),
    tracksChanges: true,
    watermark: () => 0,
  } as Partial<OperatorContext> as OperatorContext;
}

const capacity = 512;

/** Shape of the batches that an operator writes. */
export interface BatchColumns {
  readonly keys: boolean;
  readonly columns: readonly ('number' | 'any')[];
}

function batchOf({ keys, columns }: BatchColumns): RecordBatch {
  const batch = new RecordBatch(capacity);
  if (keys) batch.keys = new Array(capacity).fill('none');
  batch.columns = columns.map((type) =>
    type === 'number' ? new Float64Array(capacity) : new Array(capacity).fill(undefined),
  );
  return batch;
}

/** Calls an operator as the engine does, with an output that has room for a few rows only. */
export class Driven {
  readonly operator: Operator;
  private readonly shape: BatchColumns;
  private readonly room: number;
  private readonly receive: (batch: RecordBatch) => void;

  /** @param room rows that the output takes before it is taken away */
  constructor(
    operator: Operator,
    shape: BatchColumns,
    room: number,
    receive: (batch: RecordBatch) => void,
  ) {
    this.operator = operator;
    this.shape = shape;
    this.room = room;
    this.receive = receive;
  }

  process(batch: RecordBatch): void {
    let idle = 0;
    for (let from = 0; from < batch.count; ) {
      const next = this.call((out) => this.operator.processBatch(batch, from, out, 0));
      idle = next === from ? idle + 1 : 0;
      if (next < from || idle > 10_000) throw new Error(`stands still at record ${from}`);
      from = next;
    }
  }

  watermark(timeMs: number): void {
    this.finish((out) => this.operator.onWatermark?.(timeMs, out));
  }

  barrier(): void {
    this.finish((out) => this.operator.onBarrier?.(out));
  }

  end(): void {
    this.finish((out) => this.operator.onEnd?.(out));
  }

  private finish(action: (out: Outputs) => Progress | undefined): void {
    for (let calls = 0; this.call(action) === 'more'; calls += 1) {
      if (calls > 10_000) throw new Error('never done');
    }
  }

  private call<R>(action: (out: Outputs) => R): R {
    const main = batchOf(this.shape);
    // The first rows are taken already; so the batch is full soon, at the engine's own bound.
    const taken = capacity - this.room;
    main.count = taken;
    const result = action({
      main,
      isConsumed: () => false,
      side: () => main,
      isFull: () => main.count >= capacity,
      mark: () => undefined,
    });
    if (main.count > capacity) throw new Error('more rows than the batch has room for');
    if (main.count > taken) this.receive(slice(main, taken, this.shape));
    return result;
  }
}

/** The rows from `from` on as a batch of their own. */
function slice(batch: RecordBatch, from: number, shape: BatchColumns): RecordBatch {
  const rows = batchOf(shape);
  for (let i = from; i < batch.count; i += 1) rows.emit(batch.values[i], batch.timestamps[i]!);
  rows.keys = batch.keys?.slice(from);
  for (const [k, column] of batch.columns.entries()) {
    for (let i = from; i < batch.count; i += 1) {
      (rows.columns[k] as unknown[])[i - from] = column[i];
    }
  }
  return rows;
}

/** Records as a keyed edge gives them, with the aggregators' inputs extracted. */
export function recordsBatch(records: readonly Rec[], parts: Parts): RecordBatch {
  const inputs = Object.values(parts).flatMap((part) => part.inputs);
  const batch = batchOf({ keys: true, columns: inputs.map(({ type }) => type) });
  for (const [i, record] of records.entries()) {
    batch.emit(record, record.at);
    batch.keys![i] = record.key;
    for (const [k, { extract }] of inputs.entries()) {
      (batch.columns[k] as unknown[])[i] = extract === undefined ? record : extract(record);
    }
  }
  return batch;
}

export { PlainState } from './two-phase-tables.js';
