import {
  type CheckpointBarrier,
  type ControlElement,
  idleElement,
  type Operator,
  RecordBatch,
  type StateBackend,
  watermarkOf,
} from '@millrace/core/spi';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import type { ChannelState } from '../checkpoint/channel-state.js';
import { runtimeLimits } from '../limits.js';
import { OperatorMetrics } from '../metrics/operator-metrics.js';
import { plainShape } from '../plan/batch-shape.js';
import { type ChannelId, channelName } from '../plan/channel-id.js';
import type { OperatorRole } from '../plan/stage-plan.js';
import { BatchPool } from './batch-pool.js';
import { Channel, isBatch } from './channel.js';
import { FailurePolicy } from './failure-policy.js';
import { InputGate } from './input-gate.js';
import { OperatorStage } from './operator-stage.js';
import { OutputPort } from './output-port.js';
import { SingleRoute } from './route.js';
import { StageOutputs } from './stage-outputs.js';
import { StateLoading } from './state-loading.js';

const barrier = (checkpoint: number): CheckpointBarrier => ({
  kind: 'barrier',
  checkpoint,
  mode: 'unaligned',
});

const idOf = (edge: string): ChannelId => ({
  edge,
  role: 'whole',
  input: 0,
  from: 0,
  fromOf: 1,
  to: 0,
  toOf: 1,
});

/** Each record becomes so many rows, 512 of them a step; each watermark so many rows, too. */
class Multiplier implements Operator {
  readonly calls: string[] = [];
  private left = 0;
  private readonly rows: number;

  constructor(rows: number) {
    this.rows = rows;
  }

  processBatch(_batch: RecordBatch, from: number, { main }: { main: RecordBatch }): number {
    if (this.left === 0) this.calls.push(`record ${from}`);
    return this.give(main) ? from + 1 : from;
  }

  /** Once, when the clock is at 0, if it has been set. */
  timerMs = Infinity;

  nextProcessingTimeMs(): number {
    return this.timerMs;
  }

  onProcessingTime(_timeMs: number, { main }: { main: RecordBatch }): 'done' | 'more' {
    if (!this.give(main)) return 'more';
    this.timerMs = Infinity;
    return 'done';
  }

  onWatermark(timeMs: number, { main }: { main: RecordBatch }): 'done' | 'more' {
    if (this.left === 0) this.calls.push(`watermark ${timeMs}`);
    return this.give(main) ? 'done' : 'more';
  }

  private give(main: RecordBatch): boolean {
    if (this.left === 0) this.left = this.rows;
    for (; this.left > 0 && main.count < 512; this.left -= 1) main.emit('row', 0);
    return this.left === 0;
  }
}

/** An operator between two channels, of which nobody reads the second one. */
class StageUnderTest {
  readonly input = new Channel(idOf('in'), plainShape);
  readonly output = new Channel(idOf('out'), plainShape);
  readonly operator: Multiplier;
  readonly captured: ChannelState[] = [];
  readonly gate: InputGate;
  readonly stage: OperatorStage;

  constructor(rows: number, role: OperatorRole = 'whole') {
    const { env, metrics } = { env: virtualEnv(), metrics: new OperatorMetrics('op') };
    this.operator = new Multiplier(rows);
    this.gate = new InputGate([this.input], {
      channelsAtBarrier: (_, states) => {
        this.operator.calls.push('captured');
        this.captured.push(...states);
      },
      channelsFailed: () => undefined,
    });
    const output = { port: '', relayed: false, shape: plainShape };
    const port = new OutputPort([new SingleRoute([this.output])], metrics, 'off', output);
    const none: ReadonlyMap<string, OutputPort> = new Map();
    this.stage = new OperatorStage({
      id: 'op',
      role,
      gate: this.gate,
      operator: this.operator,
      rowsPerRecord: 'any',
      fused: undefined,
      outputs: new StageOutputs(port, none, none, new RecordBatch()),
      metrics,
      failures: new FailurePolicy({ action: 'fail' }, metrics, env.clock, undefined),
      states: [],
      nowMs: () => 0,
      atBarrier: ({ checkpoint }) => this.operator.calls.push(`frozen ${checkpoint}`),
      loading: new StateLoading(this.operator, {} as StateBackend, () => undefined),
    });
  }

  send(records: number): void {
    const batch = new BatchPool(plainShape).take();
    for (let n = 0; n < records; n += 1) batch.emit(n, n);
    batch.holders = 1;
    this.input.send(batch);
  }

  /** Steps as long as the stage is ready. */
  run(): void {
    for (let steps = 0; this.stage.isReady(); steps += 1) {
      if (steps > 1_000) throw new Error('the stage does not come to rest');
      this.stage.step();
    }
  }

  /** Rows and control in the output, which has not been read. */
  get given(): readonly (number | string)[] {
    return this.output
      .waiting()
      .map((each) => (!(each instanceof Uint8Array) && isBatch(each) ? each.count : '|'));
  }
}

describe('an operator without credit', () => {
  test('does nothing', () => {
    const t = new StageUnderTest(2_000);
    t.send(2);
    t.run();
    expect([t.given, t.stage.isBlocked()]).toEqual([[512, 512], true]);
  });

  test('ends the batch that it has begun, freezes, and lets the barrier pass', () => {
    const t = new StageUnderTest(700);
    t.send(2);
    t.send(1);
    t.run();
    expect(t.operator.calls).toEqual(['record 0', 'record 1']);
    t.input.sendControl(barrier(1));
    expect([t.stage.isReady(), t.stage.isBlocked()]).toEqual([true, false]);
    t.run();
    expect(t.operator.calls).toEqual(['record 0', 'record 1', 'frozen 1', 'captured']);
    expect(t.given).toEqual([512, 512, 376, '|']);
    // The batch that was not begun is in the checkpoint, and waits still.
    expect(t.captured[0]!.elements.length).toBe(1);
    expect(t.stage.isBlocked()).toBe(true);
  });

  test('ends a firing that it has begun, and then only the barrier passes', () => {
    const t = new StageUnderTest(1_200);
    t.input.sendControl(watermarkOf(5));
    t.run();
    t.input.sendControl(watermarkOf(6));
    t.input.sendControl(barrier(1));
    t.run();
    expect(t.operator.calls).toEqual(['watermark 5', 'frozen 1', 'captured']);
    expect(t.given).toEqual([512, 512, 176, '|', '|']);
    expect(t.captured[0]).toMatchObject({ watermark: 5, combined: 5, elements: [watermarkOf(6)] });
  });

  test('overdraws it up to a bound, and goes on where there is room again', () => {
    const t = new StageUnderTest(100_000);
    t.send(1);
    t.run();
    t.input.sendControl(barrier(1));
    t.run();
    const waiting = t.given.reduce((sum: number, each) => sum + Number(each), 0);
    expect(waiting).toBe(runtimeLimits.overdraftRecordsMax);
    expect([t.operator.calls, t.stage.isBlocked()]).toEqual([['record 0'], true]);
    while (!t.operator.calls.includes('frozen 1')) {
      expect(t.output.isEmpty).toBe(false);
      t.output.shift();
      t.run();
    }
    expect(t.captured[0]!.elements).toEqual([]);
  });
});

describe('a processing timer', () => {
  const kindsIn = ({ output }: StageUnderTest) =>
    output.waiting().map((each) => (each instanceof Uint8Array || isBatch(each) ? '' : each.kind));

  test('whose rows are behind an idle mark says once more that no others come', () => {
    const t = new StageUnderTest(600);
    t.input.sendControl(idleElement);
    t.run();
    t.operator.timerMs = 0;
    t.run();
    expect(t.given).toEqual(['|', 512, 88, '|']);
    expect(kindsIn(t)).toEqual(['idle', '', '', 'idle']);
  });

  test('says nothing of an input that goes on', () => {
    const t = new StageUnderTest(1);
    t.input.sendControl(idleElement);
    t.send(1);
    t.run();
    t.operator.timerMs = 0;
    t.run();
    t.stage.flush();
    expect(kindsIn(t)).toEqual(['idle', '']);
  });
});

test('a restored operator hears of the watermark that it had come to, ahead of all else', async () => {
  const t = new StageUnderTest(1);
  const state = { channel: idOf('in'), watermark: 7, isIdle: false, combined: 7, elements: [] };
  t.gate.restore(new Map([[channelName(idOf('in')), state]]));
  await t.stage.open();
  t.send(1);
  t.run();
  expect(t.operator.calls).toEqual(['watermark 7', 'record 0']);
});

describe('watermarks ahead of a local phase', () => {
  const mark = (time: number): ControlElement => ({ kind: 'watermark', time });

  test('wait for one another until the turn is over', () => {
    const t = new StageUnderTest(1, 'local');
    t.send(1);
    t.input.sendControl(mark(1));
    t.send(1);
    t.input.sendControl(mark(2));
    t.run();
    expect(t.operator.calls).toEqual(['record 0', 'record 0']);
    t.stage.linger(0);
    t.run();
    expect(t.operator.calls).toEqual(['record 0', 'record 0', 'watermark 2']);
    t.stage.linger(0);
    expect(t.stage.isReady()).toBe(false);
  });

  test('go on when nothing else is to be done', () => {
    const t = new StageUnderTest(1, 'local');
    t.input.sendControl(mark(1));
    t.run();
    expect([t.stage.flush(), t.stage.isReady()]).toEqual([true, true]);
    t.run();
    expect([t.operator.calls, t.given, t.stage.flush()]).toEqual([
      ['watermark 1'],
      [1, '|'],
      false,
    ]);
  });

  test.each<ControlElement>([
    { kind: 'barrier', checkpoint: 1, mode: 'aligned' },
    barrier(1),
    { kind: 'idle' },
    { kind: 'endOfInput' },
  ])('go ahead of $kind $mode', (element) => {
    const t = new StageUnderTest(1, 'local');
    t.input.sendControl(mark(1));
    t.run();
    t.input.sendControl(element);
    t.run();
    expect(t.operator.calls[0]).toBe('watermark 1');
    expect(t.given).toEqual([1, '|', '|']);
  });
});
