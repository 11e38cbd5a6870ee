import { describe, expect, test } from 'vitest';
import { type DatagramHeader, datagramKinds } from './datagram-codec.js';
import { type LinkCounts, newLinkCounts } from './link-counts.js';
import { defaultLinkLimits, type LinkLimits } from './link-limits.js';
import { LinkSender } from './link-sender.js';

const limits: LinkLimits = {
  ...defaultLinkLimits,
  bufferBytesMax: 100,
  windowDatagramsMax: 8,
  windowDatagramsMin: 2,
  frameBytesMax: 60,
  framesBeyondRoomMax: 2,
};

class Rig {
  readonly counts: LinkCounts = newLinkCounts();
  readonly sender = new LinkSender(limits, this.counts, 10);
  nowMs = 0;

  take(...lengths: readonly number[]): this {
    for (const length of lengths) this.sender.take(new Uint8Array(length), this.nowMs);
    return this;
  }

  /** Connected, and the peer has answered. */
  open(): this {
    this.sender.connected(this.nowMs);
    return this.report({ acknowledged: this.sender.acknowledged, sequence: 0 });
  }

  report(header: Partial<DatagramHeader>): this {
    const kind = datagramKinds.report;
    const base = { kind, sequence: 0, acknowledged: 0, round: this.sender.round, restBytes: 0 };
    const full = { ...base, ...header };
    this.sender.acknowledge(full.acknowledged, this.nowMs);
    this.sender.report(full, this.nowMs);
    return this;
  }

  /** Sequences of all that may be sent now. */
  sent(): number[] {
    const sequences: number[] = [];
    while (this.sender.next() !== undefined) sequences.push(this.sender.nextSent);
    return sequences;
  }
}

describe('sending', () => {
  test('numbers datagrams from 1', () => {
    expect(new Rig().open().take(1, 2, 3).sent()).toEqual([1, 2, 3]);
  });
  test('cuts frames that do not fit, and sends empty ones, too', () => {
    const rig = new Rig().open().take(25, 0, 10);
    const pieces = Array.from({ length: 5 }, () => rig.sender.next());
    const ranges = pieces.map((piece) => [piece?.from, piece?.to]);
    expect(ranges).toEqual([
      [0, 10],
      [10, 20],
      [20, 25],
      [0, 0],
      [0, 10],
    ]);
  });
  test('waits for the window', () => {
    const rig = new Rig().open().take(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    expect(rig.sent()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    rig.sender.acknowledge(1, 0);
    expect(rig.sent()).toEqual([9]);
  });
  test('refuses a frame above the limit', () => {
    expect(() => new Rig().take(61)).toThrow(/ERR_INVARIANT/);
  });
});

describe('room', () => {
  test('ends with the bytes and is back when half is free', () => {
    const rig = new Rig().open().take(50, 50);
    expect(rig.sender.isFull).toBe(true);
    rig.sent();
    rig.sender.acknowledge(4, 0);
    expect([rig.sender.isFull, rig.sender.takeRoom()]).toEqual([true, false]);
    rig.sent();
    rig.sender.acknowledge(6, 0);
    expect(rig.sender.isFull).toBe(false);
    expect([rig.sender.takeRoom(), rig.sender.takeRoom()]).toEqual([true, false]);
  });
  test('ends with the datagrams, too', () => {
    const rig = new Rig().take(1, 1, 1, 1, 1, 1, 1);
    expect(rig.sender.isFull).toBe(false);
    expect(rig.take(1).sender.isFull).toBe(true);
  });
  test('is not to be ignored', () => {
    const rig = new Rig().take(50, 50, 1, 1);
    expect(() => rig.take(1)).toThrow(/no room/);
  });
});

describe('an acknowledgement', () => {
  test('frees what it covers', () => {
    const rig = new Rig().open().take(10, 10, 10);
    rig.sent();
    expect(rig.sender.acknowledge(2, 0)).toBe(true);
    expect([rig.sender.buffer.bytes, rig.sender.acknowledged]).toEqual([10, 2]);
  });
  test('that is older than another one changes nothing', () => {
    const rig = new Rig().open().take(10, 10, 10);
    rig.sent();
    rig.sender.acknowledge(2, 0);
    expect(rig.sender.acknowledge(1, 0)).toBe(true);
    expect(rig.sender.acknowledged).toBe(2);
  });
  test('of what was never sent is somebody else’s', () => {
    const rig = new Rig().take(10);
    expect(rig.sender.acknowledge(1, 0)).toBe(false);
  });
});

describe('a gap', () => {
  test('makes it send again what follows', () => {
    const rig = new Rig().open().take(1, 1, 1, 1);
    rig.sent();
    rig.report({ acknowledged: 1, sequence: 3 });
    expect(rig.sent()).toEqual([2, 3, 4]);
    expect(rig.counts).toMatchObject({ gaps: 1, datagramsResent: 3 });
  });
  test('makes it do so once, however often it is reported', () => {
    const rig = new Rig().open().take(1, 1, 1, 1);
    rig.sent();
    const { round } = rig.sender;
    rig.report({ acknowledged: 1, sequence: 3, round });
    rig.sent();
    rig.report({ acknowledged: 1, sequence: 3, round });
    expect(rig.sent()).toEqual([]);
    rig.report({ acknowledged: 1, sequence: 4 });
    expect(rig.sent()).toEqual([2, 3]);
  });
  test('that has been closed meanwhile is none', () => {
    const rig = new Rig().open().take(1, 1, 1, 1);
    rig.sent();
    rig.sender.acknowledge(4, 0);
    rig.report({ acknowledged: 1, sequence: 3 });
    expect(rig.sent()).toEqual([]);
  });
  test('halves what is on its way down to a few, and acknowledgements give it back', () => {
    const rig = new Rig().open().take(1, 1, 1, 1, 1, 1, 1, 1);
    const portions = [rig.sent().length];
    for (let round = 0; round < 4; round++) {
      rig.report({ sequence: rig.sender.sent });
      portions.push(rig.sent().length);
    }
    expect(portions).toEqual([8, 4, 2, 2, 2]);
    rig.sender.acknowledge(2, 0);
    expect(rig.sent()).toEqual([3, 4, 5, 6]);
  });
  test('sends nothing again that is acknowledged from before', () => {
    const rig = new Rig().open().take(1, 1, 1, 1);
    rig.sent();
    rig.report({ acknowledged: 0, sequence: 3 });
    rig.sender.next();
    rig.sender.acknowledge(3, 0);
    expect(rig.sent()).toEqual([4]);
  });
});

describe('the gate', () => {
  test('is closed without a connection', () => {
    const rig = new Rig().open().take(1, 1);
    rig.sender.next();
    rig.sender.disconnected();
    expect(rig.sent()).toEqual([]);
    expect(rig.sender.probeDueMs).toBe(Number.POSITIVE_INFINITY);
  });
  test('opens with the answer to a probe, and sends again what is missing', () => {
    const rig = new Rig().open().take(1, 1, 1);
    rig.sent();
    const before = rig.sender.round;
    rig.sender.disconnected();
    rig.sender.connected(5);
    expect(rig.sender.probeDueMs).toBe(5);
    expect(rig.sent()).toEqual([]);
    rig.report({ acknowledged: 0, sequence: 3, round: before });
    expect(rig.sender.gate).toBe('syncing');
    rig.report({ acknowledged: 1, sequence: 3 });
    expect(rig.sent()).toEqual([2, 3]);
  });
  test('does not probe before there is something to send', () => {
    const rig = new Rig();
    rig.sender.connected(0);
    expect(rig.sender.probeDueMs).toBe(Number.POSITIVE_INFINITY);
    rig.nowMs = 7;
    rig.take(1);
    expect(rig.sender.probeDueMs).toBe(7);
  });
});

describe('time', () => {
  test('between probes doubles up to its limit, and progress shortens it', () => {
    const rig = new Rig().open().take(1, 1);
    rig.sent();
    const waits: number[] = [];
    for (let probe = 0; probe < 6; probe++) {
      const dueMs = rig.sender.probeDueMs;
      rig.sender.probe(dueMs);
      waits.push(rig.sender.probeDueMs - dueMs);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    rig.sender.acknowledge(1, 9_000);
    expect(rig.sender.probeDueMs).toBe(9_100);
    rig.sender.acknowledge(2, 9_000);
    expect(rig.sender.probeDueMs).toBe(Number.POSITIVE_INFINITY);
  });
  test('without progress is counted from what waits first, connected or not', () => {
    const rig = new Rig();
    expect(rig.sender.stallDueMs).toBe(Number.POSITIVE_INFINITY);
    rig.nowMs = 1_000;
    rig.take(1, 1);
    expect(rig.sender.stallDueMs).toBe(16_000);
    rig.open().sent();
    rig.sender.acknowledge(1, 4_000);
    expect(rig.sender.stallDueMs).toBe(19_000);
  });
  test('in which the process was stopped does not count', () => {
    const rig = new Rig().take(1);
    rig.sender.slept(20_000, 20_500);
    expect(rig.sender.stallDueMs).toBe(35_000);
    rig.sender.slept(20_000, 20_500);
    expect(rig.sender.stallDueMs).toBe(35_500);
  });
});
