import { defineJob, type KeyedStream, type Stream, watermarks } from '@millrace/core';
import {
  type Key,
  type MetricGroup,
  type Operator,
  type OperatorContext,
  type OperatorFactory,
  type Outputs,
  RecordBatch,
} from '@millrace/core/spi';
import {
  aggregate,
  collect,
  count,
  customWindows,
  keyBy,
  session,
  sinkTo,
  sliding,
  sum,
  tumbling,
  type WindowAssigner,
  window,
} from '@millrace/operators';
import { ManualSource, RecordingSink } from '@millrace/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeapBackend } from '../heap-backend.js';
import type { SnapshotStateBackend } from '../snapshot-state-backend.js';
import { LevelBackend } from './level-backend.js';
import { MemorySpillStore } from './memory-spill-store.js';

interface Rec {
  readonly key: Key;
  readonly at: number;
}

type Step =
  | { readonly does: 'batch'; readonly records: readonly Rec[] }
  | { readonly does: 'watermark'; readonly afterMs: number }
  | { readonly does: 'barrier' };

const allGroups = { first: 0, last: 7 };

function factoryOf(assigner: WindowAssigner, latenessMs: number): OperatorFactory {
  const job = defineJob('windows', {}, (builder) => {
    const strategy = watermarks<Rec>((r) => r.at, { outOfOrderness: 0 });
    const input: Stream<Rec> = builder.source('in', new ManualSource<Rec>(), strategy);
    input
      .pipe(
        keyBy((r: Rec) => r.key as string) as (input: Stream<Rec>) => KeyedStream<Rec, string>,
        window('w', assigner, { allowedLateness: latenessMs }),
        aggregate({ n: count(), sum: sum((r: Rec) => r.at), all: collect((r: Rec) => r.at) }),
      )
      .pipe(sinkTo('out', new RecordingSink<unknown>()));
  });
  return job.build().functions.nodes.get('w') as OperatorFactory;
}

const metrics = {
  counter: () => ({ value: 0, inc(): void {} }),
  gauge(): void {},
} as unknown as MetricGroup;

/** A window operator on a backend, called as the engine calls it. */
class Rig {
  readonly results: unknown[] = [];
  private readonly operator: Operator;
  private readonly backend: SnapshotStateBackend;
  private readonly out: Outputs;
  private watermark = -Infinity;

  constructor(factory: OperatorFactory, backend: SnapshotStateBackend) {
    this.backend = backend;
    const main = new RecordBatch();
    // Room for a few rows only, so that calls are interrupted.
    this.out = {
      main,
      isConsumed: () => false,
      side: () => main,
      isFull: () => main.count >= 3,
      mark: () => undefined,
    };
    this.operator = factory.create({
      operatorId: 'w',
      metrics,
      log: { log: () => undefined },
      codegen: 'off',
      policy: { action: 'fail' },
      keyTables: (state, spec) => backend.keyTables('w', state, spec),
      keyGroupTimes: (state) => backend.keyGroupTimes('w', state),
      scratchTable: (spec) => backend.scratchTable(spec),
      tracksChanges: backend.tracksChanges,
      watermark: () => this.watermark,
    } as Partial<OperatorContext> as OperatorContext);
  }

  open(): void | Promise<void> {
    return this.operator.open?.();
  }

  async do(step: Step): Promise<void> {
    if (step.does === 'batch') return this.process(batchOf(step.records));
    if (step.does === 'watermark') return this.advance(this.watermark + step.afterMs);
    this.backend.freeze('w');
    while (this.backend.step(noSink, 100) === 'more');
  }

  async advance(timeMs: number): Promise<void> {
    // The first record decides where time begins.
    this.watermark = Number.isFinite(timeMs) ? timeMs : 0;
    if (timeMs === Infinity) this.watermark = timeMs;
    do await this.load({ kind: 'watermark', timeMs: this.watermark });
    while (this.operator.onWatermark!(this.watermark, this.out) === 'more');
    this.take();
  }

  private async process(batch: RecordBatch): Promise<void> {
    for (let from = 0; from < batch.count; ) {
      await this.load({ kind: 'batch', batch, from, input: 0 });
      from = this.operator.processBatch(batch, from, this.out, 0);
      this.take();
    }
  }

  private async load(next: Parameters<NonNullable<Operator['prefetch']>>[0]): Promise<void> {
    this.take();
    await this.backend.relieve?.();
    await this.operator.prefetch?.(next);
  }

  private take(): void {
    const { main } = this.out;
    for (let i = 0; i < main.count; i += 1) this.results.push(structuredClone(main.values[i]));
    main.count = 0;
  }
}

const noSink = { layout: () => 0, add: () => undefined, drop: () => undefined };

function batchOf(records: readonly Rec[]): RecordBatch {
  const batch = new RecordBatch();
  for (const record of records) batch.emit(record, record.at);
  const times = records.map(({ at }) => at);
  batch.keys = records.map(({ key }) => key);
  batch.columns = [Float64Array.from(times), times];
  return batch;
}

const record = fc.record({
  key: fc.oneof(fc.nat(12), fc.constantFrom('a', 'b', 'c')),
  at: fc.nat(60),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('batch' as const),
      records: fc.array(record, { maxLength: 20 }),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ does: 'barrier' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('watermark' as const), afterMs: fc.nat(12) }),
  },
);

/** Results of a run; those of one firing come in any order, so all are sorted. */
async function resultsOf(
  factory: OperatorFactory,
  backend: SnapshotStateBackend,
  steps: readonly Step[],
): Promise<readonly string[]> {
  const rig = new Rig(factory, backend);
  await rig.open();
  for (const each of steps) await rig.do(each);
  await rig.advance(Infinity);
  return rig.results.map((result) => JSON.stringify(result)).sort();
}

const assigners: readonly [string, WindowAssigner, number][] = [
  ['tumbling', tumbling(10), 0],
  ['tumbling, with late records', tumbling(10), 15],
  ['sliding, in slices', sliding(12, 4), 8],
  ['custom', customWindows('two', (t) => [{ start: t - 1, end: t + 5 }]), 3],
  ['session', session(7), 0],
  ['session, with late records', session(3), 20],
];

describe('windows whose rows are outside memory give what they give without', () => {
  test.each(assigners)('%s', async (_name, assigner, latenessMs) => {
    const factory = factoryOf(assigner, latenessMs);
    let outside = 0;
    const options = { groupCount: 8, groups: allGroups, tracking: 'tracked' } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
        const store = new MemorySpillStore();
        const level = new LevelBackend({ ...options, store, memoryBytesMax: 400, pageRowsMax: 2 });
        const found = await resultsOf(factory, level, steps);
        outside = Math.max(outside, level.counts.writtenRows);
        expect(found).toEqual(await resultsOf(factory, new HeapBackend(options), steps));
      }),
      { numRuns: 200 },
    );
    expect(outside).toBeGreaterThan(5);
  });
});
