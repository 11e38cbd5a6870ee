import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type QueuedTimer, TimerQueue } from './timer-queue.js';

const times = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });

describe('a queue of timers', () => {
  test('gives those that are kept by time, then in the order in which they were set', () => {
    fc.assert(
      fc.property(times, times, fc.nat(9), (before, after, ofTen) => {
        const queue = new TimerQueue<QueuedTimer>();
        const isKept = ({ sequence }: QueuedTimer): boolean => (sequence * 7) % 10 <= ofTen;
        const all = [...before, ...after].map((atMs, sequence) => ({ atMs, sequence }));
        const first = all.slice(0, before.length);
        const kept = [...first.filter(isKept), ...all.slice(before.length)];
        for (const timer of first) queue.push(timer);
        queue.keep(isKept);
        for (const timer of all.slice(before.length)) queue.push(timer);
        expect(queue.length).toBe(kept.length);
        const taken: QueuedTimer[] = [];
        for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
          taken.push(next);
          queue.shift();
        }
        expect(taken).toEqual(kept.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence));
      }),
    );
  });
});
