import { describe, expect, test } from 'vitest';
import { type DatagramHeader, datagramKinds } from './datagram-codec.js';
import { type LinkCounts, newLinkCounts } from './link-counts.js';
import { defaultLinkLimits, type LinkLimits } from './link-limits.js';
import { LinkReceiver } from './link-receiver.js';

const limits: LinkLimits = {
  ...defaultLinkLimits,
  windowDatagramsMax: 8,
  frameBytesMax: 30,
  ackDatagrams: 3,
  ackBytes: 100,
};

class Rig {
  readonly counts: LinkCounts = newLinkCounts();
  readonly receiver = new LinkReceiver(limits, this.counts);
  nowMs = 0;

  /** The frame that was delivered, as text. */
  data(sequence: number, text: string, header: Partial<DatagramHeader> = {}): string | undefined {
    const full = {
      kind: datagramKinds.data,
      sequence,
      acknowledged: 0,
      round: 0,
      restBytes: 0,
      ...header,
    };
    const frame = this.receiver.data(full, Buffer.from(text), this.nowMs);
    return frame === undefined ? undefined : Buffer.from(frame).toString();
  }

  /** Takes the report that is due. */
  report(): readonly number[] | undefined {
    if (!this.receiver.isReportDue) return undefined;
    this.receiver.reported();
    this.receiver.acknowledged();
    return [this.receiver.received, this.receiver.seen, this.receiver.round];
  }
}

describe('what arrives', () => {
  test('in order is delivered', () => {
    const rig = new Rig();
    expect([rig.data(1, 'one'), rig.data(2, 'two')]).toEqual(['one', 'two']);
    expect(rig.receiver.received).toBe(2);
  });
  test('twice is delivered once and acknowledged again', () => {
    const rig = new Rig();
    rig.data(1, 'one');
    rig.receiver.acknowledged();
    expect(rig.data(1, 'one')).toBeUndefined();
    expect(rig.receiver.ackDueMs).toBe(limits.ackDelayMs);
    expect(rig.counts.duplicates).toBe(1);
  });
  test('after a gap is dropped, and the gap is reported', () => {
    const rig = new Rig();
    rig.data(1, 'one');
    expect(rig.data(3, 'three', { round: 4 })).toBeUndefined();
    expect(rig.report()).toEqual([1, 3, 4]);
    expect(rig.data(2, 'two')).toBe('two');
  });
  test('beyond the window is refused', () => {
    const rig = new Rig();
    expect(rig.data(9, 'nine')).toBeUndefined();
    expect(rig.counts.refused.window).toBe(1);
    expect(rig.report()).toBeUndefined();
    rig.data(8, 'eight');
    expect(rig.report()).toEqual([0, 8, 0]);
  });
});

describe('a gap', () => {
  test('is reported once in a round', () => {
    const rig = new Rig();
    rig.data(2, 'two');
    expect(rig.report()).toEqual([0, 2, 0]);
    rig.data(3, 'three');
    expect(rig.report()).toBeUndefined();
    rig.data(3, 'three', { round: 1 });
    expect(rig.report()).toEqual([0, 3, 1]);
  });
  test('is another one once something was delivered', () => {
    const rig = new Rig();
    rig.data(2, 'two');
    rig.report();
    rig.data(1, 'one');
    rig.data(3, 'three');
    expect(rig.report()).toEqual([1, 3, 0]);
  });
  test('is told to whoever asks', () => {
    const rig = new Rig();
    rig.receiver.probed(5, 2);
    expect(rig.report()).toEqual([0, 5, 2]);
  });
});

describe('an acknowledgement', () => {
  test('waits for data to travel with', () => {
    const rig = new Rig();
    expect(rig.receiver.ackDueMs).toBe(Number.POSITIVE_INFINITY);
    rig.nowMs = 10;
    rig.data(1, 'one');
    rig.nowMs = 12;
    rig.data(2, 'two');
    expect(rig.receiver.ackDueMs).toBe(10 + limits.ackDelayMs);
    rig.receiver.acknowledged();
    expect(rig.receiver.ackDueMs).toBe(Number.POSITIVE_INFINITY);
  });
  test('does not wait after many datagrams or bytes', () => {
    const many = new Rig();
    for (const sequence of [1, 2, 3]) many.data(sequence, 'x');
    expect(many.receiver.ackDueMs).toBe(0);
    const large = new Rig();
    large.data(1, 'x'.repeat(100));
    expect(large.receiver.ackDueMs).toBe(0);
  });
});

describe('a frame in pieces', () => {
  test('is put together', () => {
    const rig = new Rig();
    expect(rig.data(1, 'ab', { restBytes: 3 })).toBeUndefined();
    expect(rig.receiver.partialBytes).toBe(5);
    expect(rig.data(2, 'cd', { restBytes: 1 })).toBeUndefined();
    expect(rig.data(3, 'e')).toBe('abcde');
    expect(rig.receiver.partialBytes).toBe(0);
    expect(rig.data(4, 'next')).toBe('next');
  });
  test('larger than the limit is not even begun', () => {
    const rig = new Rig();
    rig.data(1, 'ab', { restBytes: 29 });
    expect(rig.receiver.broken).toMatch(/31 bytes/);
    expect(rig.receiver.partialBytes).toBe(0);
  });
  test('whose pieces do not fit breaks the link', () => {
    const rig = new Rig();
    rig.data(1, 'ab', { restBytes: 3 });
    expect(rig.data(2, 'c')).toBeUndefined();
    expect(rig.receiver.broken).toMatch(/do not continue/);
  });
});
