import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timersRig } from './timers-rig.js';

/** Timers as a plain list. */
class Model {
  private readonly timers: { name: string; key: string; atMs: number; sequence: number }[] = [];
  private sequence = 0;

  set(name: string, key: string, atMs: number): void {
    if (this.timers.some((t) => t.name === name && t.key === key && t.atMs === atMs)) return;
    this.sequence += 1;
    this.timers.push({ name, key, atMs, sequence: this.sequence });
  }

  remove(name: string, key: string, atMs?: number): void {
    const kept = this.timers.filter(
      (t) => t.name !== name || t.key !== key || (atMs !== undefined && t.atMs !== atMs),
    );
    this.timers.splice(0, this.timers.length, ...kept);
  }

  takeDue(limitMs: number): object | undefined {
    this.timers.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
    if (this.timers.length === 0 || this.timers[0]!.atMs >= limitMs) return undefined;
    const { name, key, atMs } = this.timers.shift()!;
    return { name, key, atMs };
  }

  get size(): number {
    return this.timers.length;
  }
}

const step = fc.record({
  action: fc.constantFrom('set', 'set', 'set', 'delete', 'clear', 'take', 'undone'),
  name: fc.constantFrom('a', 'b'),
  key: fc.constantFrom('x', 'y', 'z'),
  atMs: fc.integer({ min: -5, max: 5 }),
});

describe('timers with failing records', () => {
  it('are the timers of a plain list, whatever is set, deleted, taken and undone', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { timers, rows, at } = build();
        const model = new Model();
        for (const { action, name, key, atMs } of steps) {
          const timer = at(name, key);
          rows.begin();
          if (action === 'set') {
            timer.set(atMs);
            model.set(name, key, atMs);
          } else if (action === 'delete') {
            timer.delete(atMs);
            model.remove(name, key, atMs);
          } else if (action === 'clear') {
            timer.clear();
            model.remove(name, key);
          } else if (action === 'take') {
            expect(timers.takeDue(atMs)).toEqual(model.takeDue(atMs));
          } else {
            timer.clear();
            timer.set(atMs);
            timer.delete(atMs);
            timer.set(atMs + 1);
            rows.rollback();
          }
          expect(timers.size).toBe(model.size);
        }
        for (let left = model.size; left >= 0; left -= 1) {
          expect(timers.takeDue(Infinity)).toEqual(model.takeDue(Infinity));
        }
        expect(timers.nextMs()).toBe(Infinity);
      }),
    );
  });

  it('leave no row of a key behind', () => {
    const { timers, rows, at } = build();
    for (let index = 0; index < 1_000; index += 1) at('a', `key ${index}`).set(index);
    expect(rows.keyCount).toBe(1_000);
    for (let due = timers.takeDue(Infinity); due; due = timers.takeDue(Infinity)) {
      rows.setKey(due.key);
    }
    expect(rows.keyCount).toBe(0);
  });
});

function build() {
  const rows = timersRig();
  const timers = rows.eventTimers;
  const handles = new Map(['a', 'b'].map((name) => [name, timers.handle(name)]));
  const at = (name: string, key: string) => {
    rows.setKey(key);
    return handles.get(name)!;
  };
  return { timers, rows, at };
}
