import type { OutputStaging, SinkContext } from '@millrace/core/spi';
import { virtualEnv } from '@millrace/testing';
import type { NatsConnection } from '@nats-io/nats-core';
import { describe, expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { ConnectionGate } from './connection-gate.js';
import {
  DeduplicatedDestination,
  type DeduplicatedDestinationParts,
} from './deduplicated-destination.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { PreparedOutput } from './prepared-messages.js';
import type { PublishOutcome } from './publish-outcome.js';
import { SharedLink } from './shared-link.js';
import { StagedMessages } from './staged-messages.js';

const windowMs = 60_000;

/** Keeps one blob. */
function memoryStaging(): OutputStaging {
  let bytes = new Uint8Array();
  return {
    create: async () => ({
      write: async (more) => {
        bytes = Buffer.concat([bytes, more]);
      },
      complete: async () => ({ blob: 'b', bytes: bytes.length, sha256: '' }),
      abort: async () => undefined,
    }),
    read: async (_, from, length) => bytes.slice(from, from + length),
  };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A destination with two messages prepared, on a connection that a test breaks. */
async function rig(replay: SinkContext['replay'] = 'refused') {
  const env = virtualEnv();
  const gate = new ConnectionGate();
  const staging = memoryStaging();
  const staged = new StagedMessages(staging);
  for (const text of ['a', 'b']) {
    staged.add({ subject: 's', payload: Buffer.from(text), headers: undefined });
  }
  const { blob, ...content } = (await staged.complete())!;
  const entry = { ...content, checkpoint: 1, blob: 0, preparedMs: env.clock.nowMs() };
  const prepared: PreparedOutput = { staged: [blob], entries: [entry] };
  const sent: { text: string; answer: (outcome: PublishOutcome) => void }[] = [];
  const lineage = { id: 'one', parent: undefined };
  const context: SinkContext = { ...testContext(env), checkpoints: 'on', lineage, staging, replay };
  const destination = new DeduplicatedDestination({
    context,
    link: new SharedLink({} as NatsConnection, gate, async () => undefined),
    publisher: {
      publish: ({ payload }: OutgoingMessage) =>
        new Promise((answer) => {
          sent.push({ text: Buffer.from(payload).toString(), answer });
        }),
    },
    stream: { name: 'S', duplicateWindowMs: windowMs },
  } as unknown as DeduplicatedDestinationParts);
  return {
    destination,
    prepared,
    env,
    gate,
    take: () => sent.splice(0),
    /** The connection breaks, and is back after a time. */
    async outage(ms: number): Promise<void> {
      gate.shut();
      for (const { answer } of sent.splice(0)) answer({ kind: 'unanswered', why: 'lost' });
      await settled();
      env.advance(ms);
      gate.open();
      await settled();
    },
  };
}

const textsOf = (sent: readonly { readonly text: string }[]): string =>
  sent.map(({ text }) => text).join('');
const stored: PublishOutcome = { kind: 'stored', sequence: 1, isDuplicate: false };

describe('messages that a stream remembers for a minute', () => {
  test('are sent again after a shorter outage', async () => {
    const { destination, prepared, outage, take } = await rig();
    const published = destination.publish(prepared);
    await settled();
    await outage(windowMs - 1);
    const again = take();
    expect(textsOf(again)).toBe('ab');
    for (const { answer } of again) answer(stored);
    await published;
  });

  test('leave nobody behind who listens to the connection', async () => {
    const { destination, prepared, gate, take } = await rig();
    let listening = 0;
    const { onFailure } = gate;
    gate.onFailure = (listener) => {
      const unsubscribe = onFailure.call(gate, listener);
      listening += 1;
      return () => {
        listening -= 1;
        unsubscribe();
      };
    };
    for (let checkpoint = 0; checkpoint < 10; checkpoint += 1) {
      const published = destination.publish(prepared);
      await settled();
      for (const { answer } of take()) answer(stored);
      await published;
    }
    expect(listening).toBe(0);
  });

  test('are not sent again after a longer one: they may be there already', async () => {
    const { destination, prepared, outage, take } = await rig();
    const refused = expect(destination.publish(prepared)).rejects.toThrow(
      /ERR_DUPLICATE_WINDOW.*checkpoint 1 was sent 60 s ago, stream S remembers 60 s/,
    );
    await settled();
    await outage(windowMs);
    await refused;
    expect(take()).toEqual([]);
  });

  test('count from the first time that they were sent', async () => {
    const { destination, prepared, outage, take } = await rig();
    const refused = expect(destination.publish(prepared)).rejects.toThrow('ERR_DUPLICATE_WINDOW');
    await settled();
    await outage(windowMs / 2);
    await outage(windowMs / 2);
    await refused;
    expect(take()).toEqual([]);
  });

  test('that were never sent may wait for as long as it takes', async () => {
    const { destination, prepared, env, gate, outage, take } = await rig();
    env.advance(windowMs);
    gate.shut();
    const published = destination.publish(prepared);
    await settled();
    await outage(windowMs);
    for (const { answer } of take()) answer(stored);
    await published;
  });

  test('that a predecessor may have sent count from when they were prepared', async () => {
    const { destination, prepared, env, gate, outage, take } = await rig();
    env.advance(windowMs / 2);
    gate.shut();
    const shard = { ...prepared, format: 1, kind: 'messages', stream: 'S', shard: 0, lineage: 'x' };
    const refused = expect(destination.restore([shard as never])).rejects.toThrow(
      /ERR_DUPLICATE_WINDOW.*checkpoint 1 was prepared 60 s ago/,
    );
    await settled();
    await outage(windowMs / 2);
    await refused;
    expect(take()).toEqual([]);
  });

  test('are sent again all the same by who accepts that', async () => {
    const { destination, prepared, outage, take } = await rig('accepted');
    const published = destination.publish(prepared);
    await settled();
    await outage(windowMs);
    const again = take();
    expect(textsOf(again)).toBe('ab');
    for (const { answer } of again) answer(stored);
    await published;
  });
});
