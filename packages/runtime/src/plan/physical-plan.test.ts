import { defineJob } from '@millrace/core';
import { aggregate, count, keyBy, map, sinkTo, tumbling, window } from '@millrace/operators';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { planPhysically, stateShareOf } from './physical-plan.js';

/** Two counts over one source, one of them perhaps in one subtask, as the sinks are. */
const shares = (slots: number, options: { phases?: 'on' | 'off'; parallelismOfA?: 1 } = {}) => {
  const plan = planPhysically(jobOf(options.parallelismOfA), {
    fusion: 'off',
    phases: options.phases ?? 'off',
    slots,
  });
  return {
    tasks: Object.fromEntries(plan.tasks.map(({ id, stateShare }) => [id, stateShare])),
    slots: Array.from({ length: slots }, (_, slot) => stateShareOf(plan, slot)),
  };
};

const jobOf = (parallelismOfA: 1 | undefined) =>
  defineJob('shares', {}, (builder) => {
    const input = builder.source('in', new ManualSource<number>());
    for (const [id, parallelism] of [
      ['a', parallelismOfA],
      ['b', undefined],
    ] as const) {
      input.pipe(
        keyBy((n) => n % 7),
        window(id, tumbling(10), { parallelism }),
        aggregate({ n: count() }),
        map((row) => row.n, { id: `${id}-n` }),
        sinkTo(`${id}-out`, new RecordingSink(), { parallelism: 1 }),
      );
    }
  }).build();

describe('the parts of the memory for state', () => {
  test('one slot has all of it', () => {
    expect(shares(1)).toEqual({ tasks: { 'task-0': 1 }, slots: [1] });
  });

  test('a task that only has sinks has nothing of it', () => {
    expect(shares(2)).toEqual({
      tasks: { 'task-0': 0, 'task-0-of-2': 0.5, 'task-1-of-2': 0.5 },
      slots: [0.5, 0.5],
    });
  });

  test('the phase ahead of an exchange has nothing of it', () => {
    const parallelismOfA = 1;
    const plan = shares(2, { parallelismOfA, phases: 'on' });
    expect(plan.tasks).toEqual({ 'task-0': 0.5, 'task-0-of-2': 0.25, 'task-1-of-2': 0.25 });
    expect(plan).toEqual(shares(2, { parallelismOfA }));
  });

  test('subtasks have as much as they have key groups, and all together one', () => {
    const { slots } = shares(3);
    expect(slots[0]! + slots[1]! + slots[2]!).toBeCloseTo(1);
    for (const share of slots) expect(share).toBeCloseTo(1 / 3, 2);
  });
});
