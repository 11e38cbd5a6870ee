import { RecordBatch, RecordKind } from '@millrace/core/spi';
import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batchOf } from '../files/file-sink-driver.js';
import { kvSink } from './kv-sink.js';
import { natsSink } from './nats-sink.js';
import { PlayedJob, restoreFrom, type SinkRig, startSinkRig } from './sink-driver.js';

let rig: SinkRig;

const skipped = natsSkipReason() !== undefined;

describe.skipIf(skipped)('a KV sink', () => {
  beforeEach(async () => {
    rig = await startSinkRig(await startNatsServer());
  });
  afterEach(() => rig.stop());

  interface Balance {
    readonly account: string;
    readonly cents: number;
  }
  const balances = (more: object = {}) =>
    kvSink<Balance, number>({
      nats: rig.nats,
      bucket: 'b',
      key: ({ account }) => account,
      value: ({ cents }) => cents,
      createBucket: { history: 5 },
      ...more,
    });

  test('puts values and deletes keys, as a changelog says', async () => {
    const writer = new PlayedJob().process(balances());
    await writer.open?.();
    const batch = new RecordBatch();
    batch.emitKind({ account: 'a', cents: 1 }, 0, RecordKind.insert);
    batch.emitKind({ account: 'b', cents: 2 }, 0, RecordKind.insert);
    batch.emitKind({ account: 'a', cents: 1 }, 0, RecordKind.updateBefore);
    batch.emitKind({ account: 'a', cents: 3 }, 0, RecordKind.updateAfter);
    batch.emitKind({ account: 'b', cents: 2 }, 0, RecordKind.delete);
    await writer.write(batch);
    await writer.prepare?.(1);
    await writer.committed?.(1);
    await writer.close?.();
    const found = await rig.messages('KV_b');
    expect(found.map(({ subject, text }) => `${subject} ${text}`)).toEqual([
      '$KV.b.a 1',
      '$KV.b.b 2',
      '$KV.b.a 3',
      '$KV.b.b ',
    ]);
    expect(found[3]!.headers).toContain('KV-Operation: DEL');
    expect(await rig.markers('KV_b')).toMatchObject([{ checkpoint: 1 }]);
  });

  test.each(['', '.a', 'a..b', 'a b', 'a*', 'millrace.fence.x'])(
    'names a record whose key is %j',
    async (account) => {
      const writer = new PlayedJob().process(balances());
      await writer.open?.();
      const fine = { account: 'a', cents: 1 };
      expect(() => writer.write(batchOf(fine, { account, cents: 2 }))).toThrowError(
        expect.objectContaining({
          index: 1,
          cause: expect.objectContaining({ code: 'ERR_SINK_RECORD' }),
        }),
      );
      await writer.close?.();
    },
  );

  test('needs a bucket that allows batches, unless at least once is enough', async () => {
    await rig.addStream({ name: 'KV_b', subjects: ['$KV.b.>'], allow_atomic: false });
    const exactly = new PlayedJob().process(balances());
    await expect(exactly.open?.()).rejects.toThrow(/ERR_NATS_STREAM_UNFIT.*set allow_atomic/);
    const atLeast = new PlayedJob().process(balances({ guarantee: 'at-least-once' }));
    await atLeast.open?.();
    atLeast.write(batchOf({ account: 'a', cents: 1 }));
    await atLeast.flush?.();
    await atLeast.close?.();
    expect(await rig.messages('KV_b')).toHaveLength(1);
  });

  test('at least once gets what a job that was exactly once had not written', async () => {
    const job = new PlayedJob();
    const before = job.process(balances());
    await before.open?.();
    before.write(batchOf({ account: 'a', cents: 1 }));
    const restored = await restoreFrom(before, 1);
    await before.close?.();
    const now = job.process(balances({ guarantee: 'at-least-once' }), { restored });
    await now.open?.();
    await now.close?.();
    expect((await rig.messages('KV_b')).map(({ text }) => text)).toEqual(['1']);
  });

  test('of a process that was succeeded writes nothing', async () => {
    const job = new PlayedJob();
    const zombie = job.process(balances());
    await zombie.open?.();
    zombie.write(batchOf({ account: 'a', cents: 1 }));
    const restored = await restoreFrom(zombie, 1);
    const successor = job.process(balances(), { restored });
    await successor.open?.();
    successor.write(batchOf({ account: 'a', cents: 2 }));
    await successor.prepare?.(2);
    await successor.committed?.(2);
    zombie.write(batchOf({ account: 'a', cents: 9 }));
    await zombie.prepare?.(3);
    await expect(zombie.committed?.(3)).rejects.toMatchObject({ code: 'ERR_SINK_FENCED' });
    for (const each of [zombie, successor]) await each.close?.();
    expect((await rig.messages('KV_b')).map(({ text }) => text)).toEqual(['1', '2']);
  });
});

describe.skipIf(skipped)('a sink of core NATS', () => {
  beforeEach(async () => {
    rig = await startSinkRig(await startNatsServer());
  });
  afterEach(() => rig.stop());

  const listen = async (subject: string, answer: (text: string) => string | undefined) => {
    const heard: string[] = [];
    rig.connection.subscribe(subject, {
      callback: (_, message) => {
        heard.push(`${message.string()} ${message.headers?.get('Kind') ?? ''}`.trim());
        const reply = answer(message.string());
        if (reply !== undefined) message.respond(reply);
      },
    });
    await rig.connection.flush();
    return heard;
  };

  test('publishes to whoever listens', async () => {
    const heard = await listen('alerts.>', () => undefined);
    const sink = natsSink<number>({
      nats: rig.nats,
      subject: (n) => `alerts.${n % 2}`,
      headers: (n) => ({ Kind: n % 2 === 0 ? 'even' : 'odd' }),
    });
    expect(sink.guarantee).toBe('at-most-once');
    const writer = new PlayedJob().process(sink);
    await writer.open?.();
    await writer.write(batchOf(1, 2, 3));
    await writer.flush?.();
    await rig.connection.flush();
    expect(heard).toEqual(['1 odd', '2 even', '3 odd']);
    // What is written while the server is down waits until it is back.
    await rig.server.kill();
    const waiting = (async () => {
      for (let n = 4; n < 8; n += 1) {
        await writer.write(batchOf(n));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await writer.flush?.();
    })();
    await rig.server.restart();
    await waiting;
    await writer.close?.();
  });

  test('waits for a server that takes no more', async () => {
    const writer = new PlayedJob().process(natsSink<string>({ nats: rig.nats, subject: 'flood' }));
    await writer.open?.();
    await rig.server.pause();
    const text = 'x'.repeat(100_000);
    const batch = batchOf(...Array.from({ length: 8 }, () => text));
    let held: undefined | Promise<void>;
    let batches = 0;
    for (; held === undefined && batches < 100; batches += 1) held = writer.write(batch);
    // A little more than 8 MiB.
    expect(batches).toBe(11);
    rig.server.resume();
    await held;
    expect(writer.write(batch)).toBeUndefined();
    await writer.close?.();
  });

  test('with replies asks again until somebody has answered', async () => {
    const sink = natsSink<number>({ nats: rig.nats, subject: 'work', reply: { timeout: '300ms' } });
    expect(sink.guarantee).toBe('at-least-once');
    const writer = new PlayedJob().process(sink);
    await writer.open?.();
    await writer.write(batchOf(1, 2));
    const done = writer.prepare?.(1) ?? writer.flush?.();
    // Nobody listens yet; then the first question is not answered.
    await new Promise((resolve) => setTimeout(resolve, 100));
    let questions = 0;
    const heard = await listen('work', () => {
      questions += 1;
      return questions === 1 ? undefined : 'done';
    });
    await done;
    await writer.close?.();
    expect(new Set(heard)).toEqual(new Set(['1', '2']));
    expect(heard.length).toBeGreaterThan(2);
  });

  test('with replies that are looked at', async () => {
    await listen('work', (text) => (text === '2' ? 'no' : 'yes'));
    const check = (reply: Uint8Array): void => {
      if (Buffer.from(reply).toString() !== 'yes') throw new RangeError('it was refused');
    };
    const sink = natsSink<number>({ nats: rig.nats, subject: 'work', reply: { check } });
    const writer = new PlayedJob().process(sink);
    await writer.open?.();
    await writer.write(batchOf(1));
    await writer.flush?.();
    await writer.write(batchOf(2));
    await expect(writer.flush?.()).rejects.toThrow('it was refused');
    await writer.close?.();
  });
});
