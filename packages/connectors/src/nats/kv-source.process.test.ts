import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SourceSnapshot } from '../reading/reader-driver.js';
import { readOn, valuesOf } from '../reading/reader-driver.js';
import type { KvRecord } from './kv-record.js';
import { type KvSourceOptions, kvSource } from './kv-source.js';
import { type StreamRig, startRig, withSource } from './stream-driver.js';

describe.skipIf(natsSkipReason() !== undefined)('a KV source', () => {
  let rig: StreamRig;
  beforeEach(async () => {
    rig = await startRig(await startNatsServer());
  });
  afterEach(() => rig?.stop());

  const addBucket = (config: object = {}) =>
    rig.addStream({
      name: 'KV_b',
      subjects: ['$KV.b.>'],
      max_msgs_per_subject: 1,
      allow_rollup_hdrs: true,
      deny_delete: true,
      discard: 'new',
      allow_direct: true,
      ...config,
    });
  const put = (key: string, value: unknown) => rig.publish(`$KV.b.${key}`, value);
  const remove = (key: string) =>
    rig.publish(`$KV.b.${key}`, new Uint8Array(), { 'KV-Operation': 'DEL' });
  const purge = (key: string) =>
    rig.publish(`$KV.b.${key}`, new Uint8Array(), {
      'KV-Operation': 'PURGE',
      'Nats-Rollup': 'sub',
    });
  const sourceOf = (options: Partial<KvSourceOptions<number>> = {}) =>
    kvSource<number>({ nats: rig.nats, bucket: 'b', ...options });
  const short = (value: unknown): string => {
    const { key, value: of, operation, revision } = value as KvRecord<number>;
    return operation === 'put' ? `${revision}:${key}=${of}` : `${revision}:${key} ${operation}`;
  };
  const readAll = (options: Partial<KvSourceOptions<number>> = {}) =>
    withSource(sourceOf({ bounded: true, ...options }), async ({ reader }) =>
      valuesOf((await readOn(reader)).arrived).map(short),
    );

  test('gives what is there, then updates, deletes and purges in the order of revisions', async () => {
    await addBucket();
    const before = Date.now();
    await put('a', 1);
    await put('b.c', 2);
    await put('a', 3);
    await withSource(sourceOf(), async ({ next }) => {
      const first = (await next(2)) as KvRecord<number>[];
      expect(first.map(short)).toEqual(['2:b.c=2', '3:a=3']);
      expect(first[0]!.timeMs).toBeGreaterThanOrEqual(before - 1);
      await remove('a');
      await put('d', 4);
      await purge('b.c');
      await put('a', 5);
      expect((await next(4)).map(short)).toEqual(['4:a delete', '5:d=4', '6:b.c purge', '7:a=5']);
    });
  });

  test('of a history it gives the latest values at first, or all; then every change', async () => {
    await addBucket({ max_msgs_per_subject: 10 });
    for (const n of [1, 2, 3]) for (const key of ['a', 'b']) await put(key, n);
    const all = ['1:a=1', '2:b=1', '3:a=2', '4:b=2', '5:a=3', '6:b=3'];
    expect(await readAll({ from: 'all' })).toEqual(all);
    expect(await readAll()).toEqual(all.slice(4));
    await withSource(sourceOf(), async ({ next, reader }) => {
      await reader.available();
      await put('a', 4);
      await put('a', 5);
      expect((await next(4)).map(short)).toEqual(['5:a=3', '6:b=3', '7:a=4', '8:a=5']);
    });
  });

  test('reads the keys it is told', async () => {
    await addBucket();
    for (const key of ['user.1', 'user.2', 'order.1', 'x']) await put(key, 1);
    expect(await readAll({ keys: ['user.*', 'x'] })).toEqual(['1:user.1=1', '2:user.2=1', '4:x=1']);
  });

  test('an empty bucket ends at once', async () => {
    await addBucket();
    expect(await readAll()).toEqual([]);
  });

  describe('that is bounded has each key that was there at the start', () => {
    const bounded = () => sourceOf({ bounded: true });
    const rest = async (reader: Parameters<typeof readOn>[0]) =>
      valuesOf((await readOn(reader)).arrived).map(short);
    const putOnes = async () => {
      await addBucket();
      for (const key of ['a', 'b', 'c']) await put(key, 1);
    };

    test('also when some are replaced before it reads them', async () => {
      await putOnes();
      await withSource(bounded(), async ({ reader }) => {
        await put('a', 2);
        expect(await rest(reader)).toEqual(['2:b=1', '3:c=1', '4:a=2']);
      });
    });

    test('also when all of them are', async () => {
      await putOnes();
      await withSource(sourceOf({ bounded: true, from: 'all' }), async ({ reader }) => {
        for (const key of ['b', 'a', 'c']) await put(key, 2);
        expect(await rest(reader)).toEqual(['4:b=2', '5:a=2', '6:c=2']);
      });
    });

    test('also when it goes on from a checkpoint, before its end or behind it', async () => {
      await putOnes();
      const before = await withSource(bounded(), async ({ next, snapshot }) => {
        expect((await next(1)).map(short)).toEqual(['1:a=1']);
        return snapshot();
      });
      for (const key of ['b', 'c', 'a']) await put(key, 2);
      const behind = await withSource(
        bounded(),
        async ({ next, snapshot }) => {
          expect((await next(1)).map(short)).toEqual(['4:b=2']);
          return snapshot();
        },
        before,
      );
      await withSource(
        bounded(),
        async ({ reader }) => expect(await rest(reader)).toEqual(['5:c=2', '6:a=2']),
        behind,
      );
    });
  });

  describe('goes on behind the checkpoint', () => {
    async function restart(
      options: Partial<KvSourceOptions<number>>,
      meanwhile: () => Promise<void>,
      count: number,
    ): Promise<readonly string[]> {
      for (const key of ['a', 'b', 'c', 'd']) await put(key, 1);
      let restored: SourceSnapshot | undefined;
      await withSource(sourceOf(options), async ({ next, snapshot }) => {
        expect((await next(2)).map(short)).toEqual(['1:a=1', '2:b=1']);
        restored = snapshot();
      });
      await meanwhile();
      return withSource(
        sourceOf(options),
        async ({ next }) => (await next(count)).map(short),
        restored,
      );
    }

    test('with the same again', async () => {
      await addBucket();
      expect(await restart({}, () => put('e', 1), 3)).toEqual(['3:c=1', '4:d=1', '5:e=1']);
    });

    test('with the last value of each key, where some were replaced meanwhile', async () => {
      await addBucket();
      const meanwhile = async () => {
        await put('a', 2);
        await put('c', 2);
      };
      expect(await restart({}, meanwhile, 3)).toEqual(['4:d=1', '5:a=2', '6:c=2']);
    });

    test('with each change since the start that is in the history', async () => {
      await addBucket({ max_msgs_per_subject: 10 });
      const meanwhile = async () => {
        for (const n of [2, 3]) for (const key of ['a', 'c']) await put(key, n);
      };
      const changes = ['5:a=2', '6:c=2', '7:a=3', '8:c=3'];
      expect(await restart({}, meanwhile, 5)).toEqual(['4:d=1', ...changes]);
    });

    test('with all of it, when it reads all', async () => {
      await addBucket({ max_msgs_per_subject: 10 });
      const again = await restart({ from: 'all' }, () => put('c', 2), 3);
      expect(again).toEqual(['3:c=1', '4:d=1', '5:c=2']);
    });
  });

  test('loses no change when the server is killed', async () => {
    await addBucket();
    for (let n = 0; n < 50; n += 1) await put(`k${n}`, n);
    await withSource(sourceOf(), async ({ next }) => {
      const values = [...(await next(20))];
      await rig.server.restart();
      for (let n = 50; n < 60; n += 1) await put(`k${n}`, n);
      values.push(...(await next(40)));
      expect(values.map((each) => (each as KvRecord<number>).value)).toEqual(
        Array.from({ length: 60 }, (_, n) => n),
      );
    });
  });

  test('a bucket that is put back, made anew or missing is refused', async () => {
    await addBucket();
    await put('a', 1);
    const old = await rig.saveStore();
    await put('a', 2);
    const restored = await withSource(sourceOf(), async ({ next, snapshot }) => {
      expect((await next(1)).map(short)).toEqual(['2:a=2']);
      return snapshot();
    });
    const refused = (text: string) => ({
      code: 'ERR_SOURCE_CHANGED',
      message: expect.stringContaining(text),
    });
    const going = () => withSource(sourceOf(), ({ next }) => next(1), restored);
    await old.putBack();
    await rig.api('INFO');
    await expect(going()).rejects.toMatchObject(refused('rolled back'));
    await put('z', 1);
    await expect(going()).rejects.toMatchObject(refused('sequence 2 is another message'));
    await rig.api('STREAM.DELETE.KV_b');
    await addBucket();
    await expect(going()).rejects.toMatchObject(refused('created again'));
    await rig.api('STREAM.DELETE.KV_b');
    await expect(going()).rejects.toMatchObject(refused('not there'));
    await expect(readAll()).rejects.toMatchObject({ code: 'ERR_SOURCE_FAILED' });
  });

  test('values that are no JSON are bad input', async () => {
    await addBucket();
    await rig.publish('$KV.b.a', Uint8Array.of(1, 2, 3));
    await put('b', 1);
    await withSource(sourceOf({ bounded: true }), async ({ reader }) => {
      const { arrived } = await readOn(reader);
      expect(arrived[0]).toMatchObject({ position: 'sequence 2' });
      expect(arrived[1]).toMatchObject({ position: 'sequence 1', raw: Uint8Array.of(1, 2, 3) });
    });
  });
});
