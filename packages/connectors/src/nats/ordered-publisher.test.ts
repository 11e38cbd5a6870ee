import { MillraceError } from '@millrace/core';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import { testContext } from '../reading/reader-driver.js';
import { ConnectionGate } from './connection-gate.js';
import type { NatsLink } from './nats-link.js';
import { OrderedPublisher } from './ordered-publisher.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { PublishOutcome } from './publish-outcome.js';

const stored: PublishOutcome = { kind: 'stored', sequence: 1, isDuplicate: false };
const unanswered: PublishOutcome = { kind: 'unanswered', why: 'timeout' };
const refusedBy = (code: number, err_code: number): PublishOutcome => ({
  kind: 'refused',
  error: { code, err_code, description: 'no' },
});

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A publisher whose answers a test gives. */
function rig() {
  const env = virtualEnv();
  const gate = new ConnectionGate();
  const link = {
    isOpen: () => gate.isOpen(),
    whenOpen: () => gate.whenOpen(),
    onFailure: (listener: (error: MillraceError) => void) => gate.onFailure(listener),
  } as unknown as NatsLink;
  const sent: { readonly text: string; readonly answer: (outcome: PublishOutcome) => void }[] = [];
  const publisher = new OrderedPublisher({
    link,
    context: testContext(env),
    send: ({ payload }: OutgoingMessage) =>
      new Promise((answer) => {
        sent.push({ text: Buffer.from(payload).toString(), answer });
      }),
  });
  const add = (...texts: string[]): void => {
    for (const text of texts) {
      publisher.add({ subject: 's', payload: Buffer.from(text), headers: undefined });
    }
  };
  /** Texts that were sent since the last call, with their answers. */
  const take = () => sent.splice(0);
  return { env, gate, publisher, add, take };
}

const textsOf = (sent: readonly { readonly text: string }[]): string =>
  sent.map(({ text }) => text).join('');

describe('messages that are published many at a time', () => {
  test('are all on their way at once, and waited for', async () => {
    const { publisher, add, take } = rig();
    add('a', 'b', 'c');
    const sent = take();
    expect(textsOf(sent)).toBe('abc');
    let isDrained = false;
    void publisher.drained().then(() => {
      isDrained = true;
    });
    for (const { answer } of sent.reverse()) {
      expect(isDrained).toBe(false);
      answer(stored);
      await settled();
    }
    expect(isDrained).toBe(true);
  });

  test.each([
    ['is not answered', unanswered],
    ['finds no leader', refusedBy(503, 10_008)],
    ['finds too many others', refusedBy(429, 10_167)],
  ])('go out again from the first that %s, in order', async (_, outcome) => {
    const { env, publisher, add, take } = rig();
    add('a', 'b', 'c');
    const [a, b, c] = take();
    a!.answer(stored);
    c!.answer(stored);
    b!.answer(outcome);
    await settled();
    add('d');
    expect(take()).toEqual([]);
    env.advance(connectorLimits.natsRetryMaxMs);
    await settled();
    const again = take();
    expect(textsOf(again)).toBe('bcd');
    for (const { answer } of again) answer(stored);
    await publisher.drained();
  });

  test('wait for a connection that is broken', async () => {
    const { gate, publisher, add, take } = rig();
    add('a');
    const [a] = take();
    gate.shut();
    a!.answer(unanswered);
    add('b');
    await settled();
    expect(take()).toEqual([]);
    gate.open();
    await settled();
    const again = take();
    expect(textsOf(again)).toBe('ab');
    for (const { answer } of again) answer(stored);
    await publisher.drained();
  });

  test('an answer to what was given up already says nothing', async () => {
    const { env, publisher, add, take } = rig();
    add('a', 'b');
    const [a, b] = take();
    a!.answer(unanswered);
    await settled();
    b!.answer(refusedBy(400, 10_000));
    env.advance(connectorLimits.natsRetryMaxMs);
    await settled();
    for (const { answer } of take()) answer(stored);
    await publisher.drained();
  });

  test('one that is refused for good fails with its subject', async () => {
    const { publisher, add, take } = rig();
    add('a', 'b');
    take()[0]!.answer(refusedBy(400, 10_054));
    await expect(publisher.drained()).rejects.toThrow(
      /ERR_SINK_FAILED.*the message for "s" was refused: no \(10054\)/,
    );
    await expect(publisher.pressure()).rejects.toThrow('ERR_SINK_FAILED');
  });

  test('are not tried for ever', async () => {
    const { env, publisher, add, take } = rig();
    add('a');
    const failed = expect(publisher.drained()).rejects.toThrow(/ERR_SINK_FAILED.*timeout/);
    for (let tries = 0; tries < 200; tries += 1) {
      for (const { answer } of take()) answer(unanswered);
      await settled();
      env.advance(connectorLimits.natsRetryMaxMs);
      await settled();
    }
    await failed;
    expect(take()).toEqual([]);
  });

  test('fail with their connection', async () => {
    const { gate, publisher, add } = rig();
    add('a');
    gate.fail(new MillraceError('ERR_NATS_PERMISSION', 'publishing to "s"'));
    await expect(publisher.drained()).rejects.toThrow('ERR_NATS_PERMISSION');
  });

  test('hold back their writer when there are too many', async () => {
    const { publisher, add, take } = rig();
    for (let n = 0; n < connectorLimits.natsInFlightMessagesMax; n += 1) add('x');
    expect(publisher.pressure()).toBeUndefined();
    add('x');
    const pressure = publisher.pressure();
    expect(pressure).toBeInstanceOf(Promise);
    take()[0]!.answer(stored);
    await pressure;
  });

  test('waiting ends when it is closed', async () => {
    const { publisher, add } = rig();
    add('a');
    const drained = publisher.drained();
    publisher.close();
    await expect(drained).rejects.toThrow('ERR_CANCELLED');
  });
});
