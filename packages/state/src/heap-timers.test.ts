import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timersRig } from './timers-rig.js';

interface Step {
  readonly action: 'set' | 'delete' | 'clear' | 'fire';
  readonly key: number;
  readonly at: number;
}

const steps = fc.array(
  fc.record({
    action: fc.constantFrom<Step['action']>('set', 'set', 'set', 'delete', 'clear', 'fire'),
    key: fc.integer({ min: 0, max: 2 }),
    at: fc.integer({ min: -3_000, max: 6_000 }),
  }),
  { maxLength: 120 },
);

describe('timers', () => {
  test('fire each time once, in order, and only those that still stand', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const rows = timersRig();
        const timers = rows.eventTimers;
        const handle = timers.handle('t');
        const model = new Set<string>();
        for (const step of list) {
          rows.setKey(step.key);
          const name = `${step.at}/${step.key}`;
          if (step.action === 'set') {
            handle.set(step.at);
            model.add(name);
          } else if (step.action === 'delete') {
            handle.delete(step.at);
            model.delete(name);
          } else if (step.action === 'clear') {
            handle.clear();
            for (const other of [...model]) if (other.endsWith(`/${step.key}`)) model.delete(other);
          } else {
            const fired: number[] = [];
            for (let due = timers.takeDue(step.at); due; due = timers.takeDue(step.at)) {
              expect(model.delete(`${due.atMs}/${String(due.key)}`)).toBe(true);
              fired.push(due.atMs);
            }
            expect(fired).toEqual([...fired].sort((a, b) => a - b));
            for (const left of model)
              expect(Number(left.split('/')[0])).toBeGreaterThanOrEqual(step.at);
          }
          expect(timers.size).toBe(model.size);
          const times = [...model].map((left) => Number(left.split('/')[0]));
          expect(timers.nextMs()).toBe(Math.min(...times));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('that were deleted are forgotten long before their time', () => {
    const rows = timersRig();
    const timers = rows.eventTimers;
    const handle = timers.handle('idle');
    const keys = 100;
    let mostBytes = 0;
    for (let at = 0; at < 50_000; at += 1) {
      rows.setKey(at % keys);
      rows.begin();
      handle.clear();
      handle.set(3_600_000 + at);
      // What a failing record deletes has its place again, wherever that was.
      if (at % 7 === 0) rows.rollback();
      mostBytes = Math.max(mostBytes, timers.deletedBytes);
    }
    expect(mostBytes).toBeGreaterThan(0);
    expect(mostBytes).toBeLessThan(150_000);
    expect(timers.size).toBe(keys);
    const fired: number[] = [];
    for (let due = timers.takeDue(Infinity); due; due = timers.takeDue(Infinity)) {
      expect(due.atMs % keys).toBe(due.key);
      fired.push(due.atMs);
    }
    expect(fired).toEqual([...fired].sort((a, b) => a - b));
    expect(new Set(fired).size).toBe(keys);
    expect(rows.keyCount).toBe(0);
  });

  test('a time that is no whole number is refused', () => {
    const timers = timersRig().eventTimers;
    expect(() => timers.handle('t').set(Number.NaN)).toThrow('ERR_TIMER_INVALID');
  });

  test('what a failed record set or deleted is undone', () => {
    const rows = timersRig();
    rows.setKey('k');
    const timers = rows.eventTimers;
    const timer = timers.handle('t');
    timer.set(5);
    rows.begin();
    timer.delete(5);
    timer.set(7);
    rows.rollback();
    expect(timers.takeDue(100)).toEqual({ name: 't', key: 'k', atMs: 5 });
    expect(timers.takeDue(100)).toBeUndefined();
  });
});
