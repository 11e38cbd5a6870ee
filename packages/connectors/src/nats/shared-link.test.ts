import { MillraceError } from '@millrace/core';
import type { NatsConnection } from '@nats-io/nats-core';
import { describe, expect, test } from 'vitest';
import { manualTime, testContext } from '../reading/reader-driver.js';
import { ConnectionGate } from './connection-gate.js';
import { OrderedPublisher } from './ordered-publisher.js';
import { SharedLink } from './shared-link.js';

const isPending = (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => false), new Promise<boolean>((r) => setImmediate(r, true))]);
const cancelled = { code: 'ERR_CANCELLED' };

/** Two users of one connection. */
function rig() {
  const gate = new ConnectionGate();
  const left: string[] = [];
  const user = (name: string) =>
    new SharedLink({} as NatsConnection, gate, async () => void left.push(name));
  return { gate, left, one: user('one'), other: user('other') };
}

describe('a link to a shared connection', () => {
  test('that is closed is waited for by nobody, now or later; another one is', async () => {
    const { gate, left, one, other } = rig();
    gate.shut();
    const ended = expect(one.whenOpen()).rejects.toMatchObject(cancelled);
    const waiting = other.whenOpen();
    await one.close();
    await ended;
    expect(await isPending(waiting)).toBe(true);
    gate.open();
    await waiting;
    expect(one.isOpen()).toBe(false);
    await expect(one.whenOpen()).rejects.toMatchObject(cancelled);
    await one.close();
    expect(left).toEqual(['one']);
  });

  test('that nobody is to wait for may be used while it is open', async () => {
    const { gate, one } = rig();
    one.stopWaiting();
    await one.whenOpen();
    expect(one.isOpen()).toBe(true);
    gate.shut();
    await expect(one.whenOpen()).rejects.toMatchObject(cancelled);
    gate.open();
    await one.whenOpen();
  });

  test('says what its connection failed with', async () => {
    const { gate, one } = rig();
    const failure = new MillraceError('ERR_NATS_PERMISSION', 'publishing to "a"');
    gate.fail(failure);
    await one.close();
    await expect(one.whenOpen()).rejects.toBe(failure);
    expect(one.failed).toBe(failure);
  });

  test('ends what is published over it, stored or not, when nobody is to wait', async () => {
    const { gate, one } = rig();
    const sent: string[] = [];
    const publisher = new OrderedPublisher({
      link: one,
      context: testContext(manualTime().env),
      send: async ({ subject }) => {
        sent.push(subject);
        return { kind: 'stored', sequence: 1, isDuplicate: false };
      },
    });
    gate.shut();
    publisher.add({ subject: 'a', payload: new Uint8Array(), headers: undefined });
    const drained = expect(publisher.drained()).rejects.toMatchObject(cancelled);
    one.stopWaiting();
    await drained;
    gate.open();
    expect(sent).toEqual([]);
  });
});
