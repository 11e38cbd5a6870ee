import { MillraceError } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { ConnectionGate } from './connection-gate.js';

const refusal = new MillraceError('ERR_NATS_PERMISSION', 'publishing to "a"');
const isPending = (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => false), new Promise<boolean>((r) => setImmediate(r, true))]);

describe('the gate of a connection', () => {
  test('is open at first, shuts, and lets those who wait through when it opens', async () => {
    const gate = new ConnectionGate();
    await gate.whenOpen();
    gate.shut();
    expect(gate.isOpen()).toBe(false);
    const waiting = gate.whenOpen();
    expect(await isPending(waiting)).toBe(true);
    gate.open();
    expect(await isPending(waiting)).toBe(false);
    expect(gate.isOpen()).toBe(true);
  });

  test('tells of each gap once, and not whom it need not tell any more', () => {
    const gate = new ConnectionGate();
    const gaps = { first: 0, second: 0 };
    gate.onGap(() => {
      gaps.first += 1;
    });
    const unsubscribe = gate.onGap(() => {
      gaps.second += 1;
    });
    gate.shut();
    gate.shut();
    gate.open();
    unsubscribe();
    gate.shut();
    expect(gaps).toEqual({ first: 2, second: 1 });
  });

  test('fails once: those who wait, those who listen, and whoever comes later', async () => {
    const gate = new ConnectionGate();
    const heard: MillraceError[] = [];
    gate.onFailure((error) => heard.push(error));
    gate.shut();
    const waiting = gate.whenOpen();
    gate.fail(refusal);
    gate.fail(new MillraceError('ERR_NATS_UNREACHABLE', 'closed'));
    await expect(waiting).rejects.toBe(refusal);
    gate.onFailure((error) => heard.push(error));
    expect(heard).toEqual([refusal, refusal]);
    gate.open();
    expect(gate.isOpen()).toBe(false);
    expect(gate.failed).toBe(refusal);
    await expect(gate.whenOpen()).rejects.toBe(refusal);
  });
});
