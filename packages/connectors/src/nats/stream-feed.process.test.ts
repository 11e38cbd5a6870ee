import { setTimeout as wait } from 'node:timers/promises';
import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jetstreamSource } from './jetstream-source.js';
import { kvSource } from './kv-source.js';
import { numbers, type StreamRig, startRig, withSource } from './stream-driver.js';

/** Looks until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 1_000) throw new Error('it has not become so');
    await wait(10);
  }
}

describe.skipIf(natsSkipReason() !== undefined)('what a reader of streams says is empty', () => {
  let rig: StreamRig;
  beforeEach(async () => {
    rig = await startRig(await startNatsServer());
  });
  afterEach(() => rig?.stop());

  const a = 'S/s.a';
  const b = 'S/s.b';
  const sourceOf = () => jetstreamSource({ nats: rig.nats, stream: 'S', subjects: ['s.a', 's.b'] });

  test('is a split of which the server has nothing and the job has taken all', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 3, () => 's.a');
    await withSource(sourceOf(), async ({ reader, next }) => {
      const isEmpty = (split: string) => reader.isSplitEmpty!(split) === true;
      expect([isEmpty(a), isEmpty(b)]).toEqual([false, false]);
      expect(await next(1)).toEqual([0]);
      await until(() => isEmpty(b));
      // Long after it has come, the rest waits to be taken.
      await wait(1_500);
      expect(isEmpty(a)).toBe(false);
      expect(await next(2)).toEqual([1, 2]);
      await until(() => isEmpty(a));

      await rig.publish('s.b', 7);
      await until(() => !isEmpty(b));
      expect(await next(1)).toEqual([7]);
      // There could be more behind it.
      expect(isEmpty(b)).toBe(false);
      await until(() => isEmpty(b));
    });
  });

  test('is nothing of which the server does not speak, or is not asked', async () => {
    await rig.addStream();
    await withSource(sourceOf(), async ({ reader, next }) => {
      const isEmpty = (split: string) => reader.isSplitEmpty!(split) === true;
      expect(reader.poll(1)).toBeUndefined();
      await until(() => isEmpty(a) && isEmpty(b));
      await rig.server.pause();
      await until(() => !isEmpty(a) && !isEmpty(b));
      rig.server.resume();
      await until(() => isEmpty(a) && isEmpty(b));

      // Whoever has taken them for idle is told.
      const told = reader.available();
      await rig.server.kill();
      await until(() => !isEmpty(a) && !isEmpty(b));
      await told;
      await rig.server.restart();
      await rig.publish('s.a', 1);
      expect(await next(1)).toEqual([1]);

      await until(() => isEmpty(b));
      reader.pauseSplits([b]);
      reader.resumeSplits([b]);
      expect(isEmpty(b)).toBe(false);
      await until(() => isEmpty(b));
    });
  });

  test('is a bucket whose keys were read', async () => {
    await rig.addStream({ name: 'KV_b', subjects: ['$KV.b.>'], max_msgs_per_subject: 1 });
    await rig.publishNumbers(0, 5, (n) => `$KV.b.key-${n}`);
    await withSource(kvSource({ nats: rig.nats, bucket: 'b' }), async ({ reader, next }) => {
      expect(await next(4)).toMatchObject(numbers(0, 4).map((value) => ({ value })));
      await wait(1_500);
      expect(reader.isSplitEmpty!('b')).toBe(false);
      await next(1);
      await until(() => reader.isSplitEmpty!('b') === true);
      await rig.publish('$KV.b.key-9', 9);
      expect(await next(1)).toMatchObject([{ value: 9 }]);
      expect(reader.isSplitEmpty!('b')).toBe(false);
    });
  });
});
