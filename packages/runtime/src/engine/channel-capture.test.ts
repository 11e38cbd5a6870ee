import {
  type CheckpointBarrier,
  type ControlElement,
  endOfInput,
  idleElement,
  RecordBatch,
  watermarkOf,
} from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import type { ChannelState } from '../checkpoint/channel-state.js';
import { batchDecoder } from '../exchange/codec/batch-decoder.js';
import { elementOf, FrameKind, readHead } from '../exchange/frame.js';
import { RemoteReceiver } from '../exchange/remote-receiver.js';
import { RemoteSender } from '../exchange/remote-sender.js';
import { runtimeLimits } from '../limits.js';
import { plainShape } from '../plan/batch-shape.js';
import { type ChannelId, channelName } from '../plan/channel-id.js';
import { BatchPool } from './batch-pool.js';
import { Channel, isBatch } from './channel.js';
import { InputGate } from './input-gate.js';

const pool = new BatchPool(plainShape);
const idOf = (from: number): ChannelId => ({
  edge: 'a→b',
  role: 'whole',
  input: 0,
  from,
  fromOf: 2,
  to: 0,
  toOf: 1,
});

const barrier = (checkpoint: number, mode: CheckpointBarrier['mode'] = 'unaligned') =>
  ({ kind: 'barrier', checkpoint, mode }) as const;

/** A gate of channels in this slot, and what it has told of checkpoints. */
class GateUnderTest {
  readonly channels: readonly Channel[];
  readonly gate: InputGate;
  readonly captured: (readonly [number, readonly ChannelState[]])[] = [];
  readonly failed: number[] = [];

  constructor(channels = 2) {
    this.channels = Array.from({ length: channels }, (_, from) => {
      return new Channel(idOf(from), plainShape);
    });
    this.gate = new InputGate(this.channels, {
      channelsAtBarrier: ({ checkpoint }, states) => this.captured.push([checkpoint, states]),
      channelsFailed: (checkpoint) => this.failed.push(checkpoint),
    });
  }

  /** Letters are batches of one record, which is the letter. */
  send(channel: number, ...elements: readonly (string | ControlElement)[]): void {
    for (const element of elements) {
      if (typeof element === 'string') this.channels[channel]!.send(batchOf(element));
      else this.channels[channel]!.sendControl(element);
    }
  }

  /** Takes the next element, as a stage does. */
  take(): string | undefined {
    const channel = this.gate.nextChannel();
    const element = channel?.peek();
    if (channel === undefined || element === undefined) return undefined;
    this.gate.turn();
    channel.shift();
    if (isBatch(element)) {
      this.gate.onBatch(channel);
      const text = String(element.values[0]);
      // As it is used again.
      element.values[0] = 'used again';
      return text;
    }
    const event = this.gate.onControl(channel, element);
    return event === undefined ? `(${element.kind})` : event.kind;
  }

  takeAll(): string[] {
    const taken: string[] = [];
    for (let next = this.take(); next !== undefined; next = this.take()) taken.push(next);
    return taken;
  }

  /** What the last checkpoint has of each channel. */
  get state(): string[][] {
    return this.captured.at(-1)![1].map(({ elements }) => elements.map(textOf));
  }
}

function batchOf(text: string) {
  const batch = pool.take();
  batch.emit(text, 0);
  batch.holders = 1;
  return batch;
}

function textOf(element: ChannelState['elements'][number]): string {
  if (!(element instanceof Uint8Array)) {
    return element.kind === 'watermark' ? `w${element.time}` : element.kind;
  }
  const batch = new RecordBatch();
  batchDecoder().decode(element, 0, batch);
  return batch.values.slice(0, batch.count).join('');
}

describe('an overtaking barrier', () => {
  test('takes effect on arrival: what waits ahead of it is state, control too, in order', () => {
    const t = new GateUnderTest(1);
    t.send(0, 'a', watermarkOf(5), 'b', idleElement, barrier(1), 'c', watermarkOf(9));
    expect(t.gate.overtaking).toEqual(barrier(1));
    t.gate.capture(t.gate.overtaking!);
    expect(t.gate.overtaking).toBeUndefined();
    expect(t.state).toEqual([['a', 'w5', 'b', 'idle']]);
    // In its place it means nothing any more.
    expect(t.takeAll()).toEqual(['a', 'watermark', 'b', 'idle', '(barrier)', 'c', 'watermark']);
    expect(t.captured.length).toBe(1);
  });

  test('leaves out what was taken before the stage answered it', () => {
    const t = new GateUnderTest(1);
    t.send(0, 'a', 'b', barrier(1));
    expect(t.take()).toBe('a');
    t.gate.capture(t.gate.overtaking!);
    expect(t.state).toEqual([['b']]);
  });

  test('on other channels has what waits and what arrives until it is there, too', () => {
    const t = new GateUnderTest();
    t.send(0, 'a', barrier(1), 'b');
    t.send(1, 'x');
    t.gate.capture(t.gate.overtaking!);
    expect(t.captured).toEqual([]);
    t.send(0, 'c');
    expect(t.takeAll().sort()).toEqual(['(barrier)', 'a', 'b', 'c', 'x']);
    t.send(1, 'y', watermarkOf(3), watermarkOf(4), 'z');
    expect(t.takeAll()).toEqual(['y', '(watermark)', 'z']);
    t.send(1, endOfInput, barrier(1), 'late');
    expect(t.state).toEqual([['a'], ['x', 'y', 'w4', 'z', 'endOfInput']]);
    t.send(1, 'later');
    expect(t.state[1]).toEqual(['x', 'y', 'w4', 'z', 'endOfInput']);
  });

  test('that is there on all channels when the stage answers needs none to arrive', () => {
    const t = new GateUnderTest();
    t.send(0, 'a', barrier(1), 'b');
    t.send(1, 'x', barrier(1), 'y');
    t.gate.capture(t.gate.overtaking!);
    expect(t.state).toEqual([['a'], ['x']]);
  });

  test('has the watermarks that the gate has come to, of each channel and in all', () => {
    const t = new GateUnderTest();
    t.send(0, watermarkOf(10));
    t.send(1, watermarkOf(7), watermarkOf(8), idleElement);
    t.takeAll();
    t.send(0, watermarkOf(20), barrier(1));
    t.send(1, barrier(1));
    t.gate.capture(t.gate.overtaking!);
    expect(t.captured[0]![1]).toMatchObject([
      { channel: idOf(0), watermark: 10, isIdle: false, combined: 10 },
      { channel: idOf(1), watermark: 8, isIdle: true, combined: 10 },
    ]);
  });

  test('ends the alignment of an older checkpoint, whose barriers mean nothing any more', () => {
    const t = new GateUnderTest();
    t.send(0, barrier(1, 'aligned'), 'a');
    t.send(1, 'x', barrier(1, 'aligned'));
    expect(t.take()).toBe('(barrier)');
    t.send(0, barrier(2));
    t.send(1, barrier(2), 'y');
    t.gate.capture(t.gate.overtaking!);
    expect(t.state).toEqual([['a'], ['x']]);
    expect(t.takeAll().sort()).toEqual([...Array(3).fill('(barrier)'), 'a', 'x', 'y']);
  });

  test('of an older checkpoint, or of one that was given up, does nothing', () => {
    const t = new GateUnderTest(1);
    t.send(0, barrier(3, 'aligned'));
    expect(t.take()).toBe('barrier');
    t.send(0, barrier(2));
    t.gate.abort(4);
    t.send(0, barrier(4), barrier(4, 'aligned'));
    expect(t.gate.overtaking).toBeUndefined();
    expect(t.takeAll()).toEqual(['(barrier)', '(barrier)', '(barrier)']);
    t.send(0, barrier(5, 'aligned'));
    expect(t.take()).toBe('barrier');
  });

  test('of a checkpoint that is given up is not answered, and nothing is noted any more', () => {
    const t = new GateUnderTest();
    t.send(0, barrier(1));
    t.gate.abort(1);
    expect(t.gate.overtaking).toBeUndefined();
    t.send(0, barrier(2));
    t.gate.capture(t.gate.overtaking!);
    t.gate.abort(2);
    t.send(1, 'x', barrier(2));
    expect(t.captured).toEqual([]);
    t.send(0, barrier(3));
    t.send(1, barrier(3));
    t.gate.capture(t.gate.overtaking!);
    expect(t.state).toEqual([[], ['x']]);
  });

  test('makes a channel wait that gives too much before it has delivered its own', () => {
    const t = new GateUnderTest();
    t.send(0, barrier(1));
    t.gate.capture(t.gate.overtaking!);
    t.takeAll();
    const large = 'x'.repeat(runtimeLimits.recordedBytesMax);
    t.send(1, large, 'y');
    expect(t.take()).toBeUndefined();
    t.send(0, 'a');
    expect(t.take()).toBe('a');
    t.send(1, barrier(1));
    expect(t.takeAll()).toEqual([large, 'y', '(barrier)']);
    expect(t.state[1]).toEqual([large, 'y']);
  });

  test('fails the checkpoint, not the job, where a record cannot be stored', () => {
    const t = new GateUnderTest(1);
    const batch = pool.take();
    batch.emit(() => undefined, 0);
    t.channels[0]!.send(batch);
    t.send(0, barrier(1));
    t.gate.capture(t.gate.overtaking!);
    expect([t.failed, t.captured]).toEqual([[1], []]);
  });
});

test('a checkpoint that is given up blocks no channel any more', () => {
  const t = new GateUnderTest();
  t.send(0, barrier(1, 'aligned'), 'a');
  expect(t.takeAll()).toEqual(['(barrier)']);
  t.gate.abort(1);
  expect(t.takeAll()).toEqual(['a']);
  t.send(1, barrier(1, 'aligned'), barrier(2, 'aligned'), 'x');
  t.send(0, barrier(2, 'aligned'), 'b');
  expect(t.takeAll().sort()).toEqual(['(barrier)', '(barrier)', 'b', 'barrier', 'x']);
});

describe('a restored gate', () => {
  const restored = (before: GateUnderTest): GateUnderTest => {
    const after = new GateUnderTest();
    const states = before.captured.at(-1)![1];
    after.gate.restore(new Map(states.map((state) => [channelName(state.channel), state])));
    return after;
  };

  test('takes what waited ahead of what comes, once, and knows how far it had come', () => {
    const before = new GateUnderTest();
    before.send(0, watermarkOf(10));
    before.send(1, watermarkOf(8));
    before.takeAll();
    before.send(0, 'a', watermarkOf(12), 'b', barrier(1));
    before.send(1, barrier(1));
    before.gate.capture(before.gate.overtaking!);
    const after = restored(before);
    expect(after.gate.watermark).toBe(8);
    expect(after.channels[0]!.hasCredit).toBe(false);
    expect(after.channels[1]!.hasCredit).toBe(true);
    // A source says again what it has said.
    after.send(0, watermarkOf(12), 'c');
    expect(after.takeAll()).toEqual(['a', '(watermark)', 'b', '(watermark)', 'c']);
    expect(after.channels[0]!.hasCredit).toBe(true);
    after.send(1, watermarkOf(11));
    expect(after.take()).toBe('watermark');
    expect(after.gate.watermark).toBe(11);
  });

  test('waits for a channel that was idle, whether it had heard of that or not', () => {
    const before = new GateUnderTest();
    before.send(0, watermarkOf(10), idleElement);
    before.send(1, watermarkOf(8));
    before.takeAll();
    before.send(1, idleElement, barrier(1));
    before.send(0, barrier(1));
    before.gate.capture(before.gate.overtaking!);
    const after = restored(before);
    after.send(0, watermarkOf(12));
    expect(after.takeAll()).toEqual(['(watermark)']);
    after.send(1, watermarkOf(9));
    expect(after.take()).toBe('watermark');
    expect(after.gate.watermark).toBe(9);
  });

  test('counts an end once, though its source ends again', () => {
    const before = new GateUnderTest();
    before.send(0, endOfInput, barrier(1));
    before.send(1, barrier(1));
    before.gate.capture(before.gate.overtaking!);
    const after = restored(before);
    after.send(0, endOfInput);
    expect(after.takeAll()).toEqual(['(endOfInput)', '(endOfInput)']);
    after.send(1, endOfInput);
    expect(after.take()).toBe('endOfInput');
    after.send(1, endOfInput);
    expect(after.take()).toBe('(endOfInput)');
  });
});

describe('a channel between slots', () => {
  /** Both ends with lanes that deliver at once. */
  function remote() {
    const sender = new RemoteSender(
      9,
      { edgeId: 'a→b', operator: 'a' },
      {
        hasRoom: true,
        send: (frame) => receiver.onFrame(readHead(frame), frame),
        close: () => undefined,
      },
    );
    const receiver: RemoteReceiver = new RemoteReceiver(9, idOf(0), plainShape, {
      hasRoom: true,
      send: (frame) => {
        const head = readHead(frame);
        if (head.kind === FrameKind.credit) sender.onCredit(head.value);
        else throw new Error(`unexpected ${elementOf(head).kind}`);
      },
      close: () => undefined,
    });
    return { sender, receiver };
  }

  test('is noted and restored like one within a slot, and can be read in either', () => {
    const { sender, receiver } = remote();
    const captured: ChannelState[] = [];
    const gate = new InputGate([receiver], {
      channelsAtBarrier: (_, states) => captured.push(...states),
      channelsFailed: () => undefined,
    });
    sender.send(batchOf('a'));
    sender.sendControl(watermarkOf(4));
    sender.send(batchOf('b'));
    expect(isBatch(receiver.peek()!)).toBe(true);
    sender.sendControl(barrier(1));
    sender.send(batchOf('c'));
    gate.capture(gate.overtaking!);
    expect(captured[0]!.elements.map(textOf)).toEqual(['a', 'w4', 'b']);

    const local = new GateUnderTest(1);
    local.gate.restore(new Map([[channelName(idOf(0)), captured[0]!]]));
    expect(local.takeAll()).toEqual(['a', 'watermark', 'b']);
    const other = remote().receiver;
    other.restore(captured[0]!.elements);
    const batch = other.peek();
    expect(batch !== undefined && isBatch(batch) && batch.values[0]).toBe('a');
  });

  test('has what arrives until its barrier is there', () => {
    const { sender, receiver } = remote();
    const local = new Channel(idOf(1), plainShape);
    const captured: ChannelState[] = [];
    const gate = new InputGate([receiver, local], {
      channelsAtBarrier: (_, states) => captured.push(...states),
      channelsFailed: () => undefined,
    });
    local.sendControl(barrier(1));
    gate.capture(gate.overtaking!);
    sender.send(batchOf('a'));
    sender.sendControl(idleElement);
    receiver.shift();
    sender.sendControl(barrier(1));
    sender.send(batchOf('b'));
    expect(captured[0]!.elements.map(textOf)).toEqual(['a', 'idle']);
  });

  test('counts short batches that were restored as it counts those that are sent', () => {
    const { sender, receiver } = remote();
    const { channelBytesMax, frameCreditMin } = runtimeLimits;
    const local = new GateUnderTest(1);
    for (let n = 0; n < channelBytesMax / frameCreditMin; n += 1) local.send(0, 'x');
    local.send(0, barrier(1));
    local.gate.capture(local.gate.overtaking!);
    receiver.restore(local.captured[0]![1][0]!.elements);
    expect(sender.hasCredit).toBe(false);
    while (!receiver.isEmpty) receiver.shift();
    for (let n = 0; n < channelBytesMax / frameCreditMin; n += 1) sender.send(batchOf('y'));
    expect(sender.hasCredit).toBe(false);
  });

  test('gives no credit for what was restored until it is taken', () => {
    const { sender, receiver } = remote();
    const large = batchOf('x'.repeat(runtimeLimits.channelBytesMax));
    const full = new GateUnderTest(1);
    full.channels[0]!.send(large);
    full.send(0, barrier(1));
    full.gate.capture(full.gate.overtaking!);
    expect(sender.hasCredit).toBe(true);
    receiver.restore(full.captured[0]![1][0]!.elements);
    expect([sender.hasCredit, sender.canOverdraw]).toEqual([false, true]);
    receiver.shift();
    expect(sender.hasCredit).toBe(true);
  });
});
