import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { MillraceError } from '@millrace/core';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { Pulse, pulseCells } from '../engine/pulse.js';
import type { SlotListener } from '../job/slot-control.js';
import { runtimeLimits } from '../limits.js';
import type { SlotCommand } from './thread-messages.js';
import { ThreadSlot } from './thread-slot.js';

/** A thread that answers only if it is told to; when it is terminated, it is gone. */
class DeafWorker extends EventEmitter {
  readonly heard: SlotCommand[] = [];
  terminations = 0;

  postMessage(command: SlotCommand): void {
    this.heard.push(command);
  }

  async terminate(): Promise<number> {
    this.terminations += 1;
    this.emit('exit', 1);
    return 1;
  }

  /** Answers the last question. */
  answer(value: unknown): void {
    const asked = this.heard.findLast((command) => command.kind === 'ask')!;
    this.emit('message', { kind: 'answer', id: (asked as { readonly id: number }).id, value });
  }
}

function slotInThread() {
  const [env, worker] = [virtualEnv(), new DeafWorker()];
  const slot = new ThreadSlot({
    worker: worker as unknown as Worker,
    slot: 1,
    env,
    listener: {} as SlotListener,
    pulse: new Pulse(new Int32Array(pulseCells)),
    stageName: () => 'map',
  });
  return { env, worker, slot };
}

describe('a thread that is told to stop', () => {
  test.each<[string, (slot: ThreadSlot) => void]>([
    ['cancelled', (slot) => slot.cancel()],
    ['failed by another', (slot) => slot.fail(new MillraceError('ERR_INVARIANT', 'elsewhere'))],
  ])('and does not hear of it is ended (%s)', async (_, stop) => {
    const { env, worker, slot } = slotInThread();
    const ended = expect(slot.start()).rejects.toMatchObject({
      code: 'ERR_SLOT_LOST',
      detail: 'slot 1: it did not stop within 20000 ms',
    });
    stop(slot);
    env.advance(runtimeLimits.slotStopMs - 1);
    expect(worker.terminations).toBe(0);
    env.advance(1);
    expect(worker.terminations).toBe(1);
    await ended;
    await slot.close();
    expect(worker.terminations).toBe(1);
  });

  test('and does is left alone', async () => {
    const { env, worker, slot } = slotInThread();
    const ended = slot.start();
    slot.cancel();
    worker.answer('cancelled');
    expect(await ended).toBe('cancelled');
    env.advance(10 * runtimeLimits.slotStopMs);
    expect(worker.terminations).toBe(0);
  });
});
