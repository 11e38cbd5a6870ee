import { type CheckpointBarrier, RecordBatch } from '@millrace/core/spi';
import { expect, test } from 'vitest';
import type { ChannelState } from '../checkpoint/channel-state.js';
import type { Loop } from '../codegen/loop.js';
import { OperatorMetrics } from '../metrics/operator-metrics.js';
import { plainShape } from '../plan/batch-shape.js';
import type { ChannelId } from '../plan/channel-id.js';
import { BatchPool } from './batch-pool.js';
import { Channel, isBatch } from './channel.js';
import { InputGate } from './input-gate.js';
import { LoopMembers } from './loop-members.js';
import { LoopStage } from './loop-stage.js';
import { OutputPort } from './output-port.js';
import { SingleRoute } from './route.js';

const barrier: CheckpointBarrier = { kind: 'barrier', checkpoint: 1, mode: 'unaligned' };

const channelOf = (edge: string): Channel => {
  const ends = { from: 0, fromOf: 1, to: 0, toOf: 1 };
  const id: ChannelId = { edge, role: 'loop', input: 0, ...ends };
  return new Channel(id, plainShape);
};

/** Hands records on as they are. */
const copy: Loop = (input, from, to, out) => {
  for (let row = from; row < to; row += 1) out.emit(input.values[row], 0);
  return to;
};

function batchOf(records: number) {
  const batch = new BatchPool(plainShape).take();
  for (let n = 0; n < records; n += 1) batch.emit(n, n);
  batch.holders = 1;
  return batch;
}

test('a loop without credit ends its batch; the next one is state as soon as the barrier goes on', () => {
  const [input, output] = [channelOf('in'), channelOf('out')];
  const captured: ChannelState[] = [];
  const gate = new InputGate([input], {
    channelsAtBarrier: (_, states) => captured.push(...states),
    channelsFailed: () => undefined,
  });
  const shape = { port: '', relayed: false, shape: plainShape };
  const metrics = new OperatorMetrics('loop');
  const stage = new LoopStage({
    id: 'loop',
    input: { kind: 'channels', gate },
    loop: copy,
    members: new LoopMembers([], 'is counted'),
    main: new OutputPort([new SingleRoute([output])], metrics, 'off', shape),
    sides: [],
    discarded: new RecordBatch(),
    setWatermark: () => undefined,
  });
  const given = (): readonly (number | string)[] =>
    output
      .waiting()
      .map((each) => (!(each instanceof Uint8Array) && isBatch(each) ? each.count : '|'));
  const steps = (): void => {
    for (let step = 0; stage.isReady(); step += 1) {
      if (step > 100) throw new Error('the loop does not come to rest');
      stage.step();
    }
  };

  for (let n = 0; n < 6; n += 1) input.send(batchOf(400));
  steps();
  expect([given(), stage.isBlocked()]).toEqual([[400, 400], true]);
  const left = input.waiting().length;
  input.sendControl(barrier);
  expect(stage.isBlocked()).toBe(false);
  while (given().at(-1) !== '|') stage.step();
  // At that moment, and not later, it is noted what the state does not have.
  const rows = given().reduce((sum: number, each) => sum + (each === '|' ? 0 : Number(each)), 0);
  expect(captured.length).toBe(1);
  expect(rows + captured[0]!.elements.length * 400).toBe(2_400);
  expect(captured[0]!.elements.length).toBeGreaterThanOrEqual(left - 1);
});
