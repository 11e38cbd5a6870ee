import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import type { Stage } from './stage.js';
import { Task, type TaskExtras } from './task.js';

/** A stage that never has work, and always some records in a batch that is not full. */
class Gathering implements Stage {
  readonly id = 'gathering';
  readonly readsSource = false;
  readonly isFinished = false;
  readonly flushedMs: number[] = [];
  left: number;
  private readonly nowMs: () => number;

  constructor(nowMs: () => number, batches: number) {
    this.nowMs = nowMs;
    this.left = batches;
  }

  isReady = (): boolean => false;
  isBlocked = (): boolean => false;
  isWaiting = (): boolean => false;
  step(): void {}
  linger(): void {}
  async open(): Promise<void> {}
  async close(): Promise<void> {}
  wakeAtMs = (): number => Infinity;

  flush(): boolean {
    if (this.left === 0) return false;
    this.left -= 1;
    this.flushedMs.push(this.nowMs());
    return true;
  }
}

/** A task gives way to the process a few times, not more. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function run(order: TaskExtras['order'], batches: number) {
  const env = virtualEnv();
  const stage = new Gathering(() => env.clock.monotonicMs(), batches);
  const times = [{ accumulateBusyTimeMs: 0, accumulateBackPressuredTimeMs: 0 }];
  const task = new Task([stage], times, env, { order });
  const ended = task.run(() => undefined);
  let isIdle = false;
  task.onIdle(() => {
    isIdle = true;
  });
  await settled();
  return {
    stage,
    isIdle: () => isIdle,
    async advance(ms: number): Promise<void> {
      env.advance(ms);
      await settled();
    },
    async end(): Promise<void> {
      task.cancel();
      expect(await ended).toBe('cancelled');
    },
  };
}

describe('a task with nothing else to do', () => {
  test('hands on what is partly filled at once in one slot', async () => {
    const t = await run('downstream', 3);
    expect([t.stage.flushedMs, t.isIdle()]).toEqual([[0, 0, 0], true]);
    await t.end();
  });

  test('does so once a millisecond in several, and is not idle before that', async () => {
    const t = await run('fair', 3);
    expect([t.stage.flushedMs, t.isIdle()]).toEqual([[0], false]);
    await t.advance(0.5);
    expect(t.stage.flushedMs).toEqual([0]);
    await t.advance(0.5);
    expect(t.stage.flushedMs).toEqual([0, 1]);
    await t.advance(1);
    expect(t.isIdle()).toBe(false);
    await t.advance(1);
    expect([t.stage.flushedMs, t.isIdle()]).toEqual([[0, 1, 2], true]);
    await t.end();
  });
});
