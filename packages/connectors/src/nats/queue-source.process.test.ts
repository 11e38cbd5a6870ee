import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JetstreamSourceOptions, jetstreamSource } from './jetstream-source.js';
import { numbers, type StreamRig, startRig, withSource } from './stream-driver.js';

describe.skipIf(natsSkipReason() !== undefined)('a source of a stream that removes', () => {
  let rig: StreamRig;
  beforeEach(async () => {
    rig = await startRig(await startNatsServer());
  });
  afterEach(() => rig?.stop());

  const sourceOf = (options: Partial<JetstreamSourceOptions<number>> = {}) =>
    jetstreamSource<number>({ nats: rig.nats, stream: 'S', durable: 'job', ...options });
  const stored = async () => {
    const { state } = await rig.api<{ state: { messages: number } }>('STREAM.INFO.S');
    return state.messages;
  };
  const storedIs = async (count: number) => {
    while ((await stored()) !== count);
  };

  describe.each(['workqueue', 'interest'] as const)('%s', (retention) => {
    /** A stream of retention `interest` keeps nothing before it has a consumer. */
    const streamOf = async (count: number) => {
      await rig.addStream({ retention });
      if (retention === 'workqueue') {
        await rig.publishNumbers(0, count);
        return undefined;
      }
      return withSource(sourceOf(), async ({ reader, snapshot }) => {
        reader.poll(1);
        while ((await rig.consumers()).length === 0);
        await rig.publishNumbers(0, count);
        return snapshot();
      });
    };

    test('messages are removed when a committed checkpoint has them, and not before', async () => {
      const restored = await streamOf(10);
      await withSource(
        sourceOf(),
        async ({ reader, next }) => {
          await next(4);
          reader.snapshot(7);
          await next(3);
          reader.snapshot(8);
          await next(3);
          expect(await stored()).toBe(10);
          await reader.committed!(7);
          await storedIs(6);
          await reader.committed!(8);
          await storedIs(3);
        },
        restored,
      );
      expect(await stored()).toBe(3);
    });

    test('an attempt that failed is followed by one that gets the same, in order', async () => {
      const restored = await streamOf(10);
      await rig.publishNumbers(10, 20);
      const checkpoint = await withSource(
        sourceOf(),
        async ({ reader, next, snapshot }) => {
          await next(6);
          const taken = snapshot();
          reader.snapshot(1);
          await next(6);
          return taken;
        },
        restored,
      );
      // Committed, and killed before anything was acknowledged.
      await withSource(
        sourceOf(),
        async ({ reader, next, counter }) => {
          expect(await next(14)).toEqual(numbers(6, 20));
          if (retention === 'workqueue') expect(counter('natsRedeliveries')).toBe(6);
          await storedIs(14);
          reader.snapshot(2);
          await reader.committed!(2);
          await storedIs(0);
        },
        checkpoint,
      );
      expect(await rig.consumers()).toHaveLength(1);
    });

    test('a server that dies makes it read nothing twice, and acknowledge it all', async () => {
      const restored = await streamOf(100);
      await withSource(
        sourceOf(),
        async ({ reader, next, counter }) => {
          expect(await next(60)).toEqual(numbers(0, 60));
          reader.snapshot(1);
          await next(20);
          await rig.server.kill();
          // Cannot be told to anybody now.
          await reader.committed!(1);
          await rig.server.restart();
          await rig.publishNumbers(100, 150);
          expect(await next(70)).toEqual(numbers(80, 150));
          await storedIs(90);
          expect(counter('natsRedeliveries')).toBeGreaterThan(0);
          reader.snapshot(2);
          await reader.committed!(2);
          await storedIs(0);
        },
        restored,
      );
    });
  });

  test('several subjects of a work queue', async () => {
    await rig.addStream({ retention: 'workqueue' });
    await rig.publishNumbers(0, 20, (n) => `s.${n % 2}`);
    const source = sourceOf({ subjects: ['s.0', 's.1'], bounded: true });
    await withSource(source, async ({ reader, next }) => {
      const values = await next(20);
      expect([...values].sort((a, b) => Number(a) - Number(b))).toEqual(numbers(0, 20));
      reader.snapshot(1);
      await reader.committed!(1);
      await storedIs(0);
      // It has ended, and acknowledged what it read nevertheless.
      expect(reader.poll(1)).toBe('end');
    });
  });

  test('needs a name for its consumers, and no other start', async () => {
    await rig.addStream({ retention: 'workqueue' });
    const start = (options: Partial<JetstreamSourceOptions<number>>) =>
      withSource(sourceOf(options), async () => undefined);
    const refused = (field: string) => ({ code: 'ERR_INVALID_OPTION', field });
    await expect(start({ durable: undefined })).rejects.toMatchObject(refused('durable'));
    await expect(start({ start: 'new' })).rejects.toMatchObject(refused('start'));
    await rig.addStream({ name: 'L', subjects: ['l'] });
    await expect(start({ stream: 'L' })).rejects.toMatchObject(refused('durable'));
  });

  test('a backlog waits for the first commit; without checkpoints it is refused', async () => {
    await rig.addStream({ retention: 'workqueue' });
    for (let n = 0; n < 66_000; n += 2_000) await rig.publishNumbers(n, n + 2_000);
    await withSource(sourceOf(), async ({ reader, next }) => {
      // As a job does: its first checkpoint is taken before the first poll.
      reader.snapshot(1);
      expect(await next(65_536)).toHaveLength(65_536);
    });
    await withSource(sourceOf(), async ({ next }) => {
      await expect(next(66_000)).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining('takes none'),
      });
    });
  });
});
