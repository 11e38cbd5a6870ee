import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readOn, type SourceSnapshot, valuesOf } from '../reading/reader-driver.js';
import { type JetstreamSourceOptions, jetstreamSource } from './jetstream-source.js';
import { numbers, type StreamRig, startRig, withSource } from './stream-driver.js';

describe.skipIf(natsSkipReason() !== undefined)('a JetStream source', () => {
  let rig: StreamRig;
  beforeEach(async () => {
    rig = await startRig(await startNatsServer());
  });
  afterEach(() => rig?.stop());

  const sourceOf = <T = number>(options: Partial<JetstreamSourceOptions<number, T>> = {}) =>
    jetstreamSource<number, T>({ nats: rig.nats, stream: 'S', bounded: true, ...options });
  const readAll = <T = number>(options?: Partial<JetstreamSourceOptions<number, T>>) =>
    withSource(sourceOf(options), async ({ reader }) => (await readOn(reader)).arrived);

  test('a bounded one reads what is there when it first starts, and ends', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 1_000);
    const first = await withSource(sourceOf(), async ({ reader, next, snapshot }) => {
      await rig.publishNumbers(1_000, 1_010);
      await next(10);
      const taken = snapshot();
      const { arrived } = await readOn(reader);
      expect(valuesOf(arrived)).toEqual(numbers(10, 1_000));
      expect(arrived[0]).toMatchObject({ split: 'S', position: 'sequence 11' });
      expect(snapshot().splits).toEqual([]);
      return taken;
    });
    await withSource(
      sourceOf(),
      async ({ reader }) => {
        expect(valuesOf((await readOn(reader)).arrived)).toEqual(numbers(10, 1_000));
      },
      first,
    );
  });

  test('replays exactly from the snapshot after any chunk', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 40);
    for (const max of [1, 7, 100]) {
      const values: unknown[] = [];
      let restored: SourceSnapshot | undefined;
      for (let hasEnded = false; !hasEnded; ) {
        await withSource(
          sourceOf(),
          async ({ reader, snapshot }) => {
            const part = await readOn(reader, max, 1);
            values.push(...valuesOf(part.arrived));
            hasEnded = part.hasEnded;
            restored = snapshot();
          },
          restored,
        );
      }
      expect(values).toEqual(numbers(0, 40));
    }
    // Consumers leave with their readers.
    expect(await rig.consumers()).toEqual([]);
  });

  test('begins where it is told, and there also when it had read nothing yet', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 5);
    const { state } = await rig.api<{ state: { last_ts: string } }>('STREAM.INFO.S');
    const timeMs = Date.parse(state.last_ts) + 1;
    while (Date.now() <= timeMs + 1);
    await rig.publishNumbers(5, 10);
    const starts = [
      ['first', numbers(0, 10)],
      [{ sequence: 4 }, numbers(3, 10)],
      [{ timeMs }, numbers(5, 10)],
    ] as const;
    for (const [start, expected] of starts) {
      expect(valuesOf(await readAll({ start }))).toEqual(expected);
    }
    const begun = await withSource(sourceOf({ start: 'new', bounded: false }), async (opened) =>
      opened.snapshot(),
    );
    await rig.publishNumbers(10, 12);
    await withSource(
      sourceOf({ start: 'new', bounded: false }),
      async ({ next }) => expect(await next(2)).toEqual([10, 11]),
      begun,
    );
  });

  test('each subject is a split in its own order; what is of others is left out', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 300, (n) => `s.${['even', 'odd', 'other'][n % 3]}.x`);
    const arrived = await readAll({ subjects: ['s.even.*', 's.odd.*', 's.none'] });
    const of = (split: string) => valuesOf(arrived.filter((each) => each.split === split));
    expect(of('S/s.even.*')).toEqual(numbers(0, 300).filter((n) => n % 3 === 0));
    expect(of('S/s.odd.*')).toEqual(numbers(0, 300).filter((n) => n % 3 === 1));
    expect(arrived).toHaveLength(200);
  });

  test('several streams are splits', async () => {
    await rig.addStream();
    await rig.addStream({ name: 'T', subjects: ['t.>'] });
    await rig.publishNumbers(0, 3);
    await rig.publishNumbers(3, 6, () => 't.n');
    const arrived = await readAll({ stream: ['S', 'T'] });
    expect(arrived.map(({ split, value }) => `${split}${value}`).sort()).toEqual([
      'S0',
      'S1',
      'S2',
      'T3',
      'T4',
      'T5',
    ]);
  });

  test('subject, headers, sequence and time of the server are there for the asking', async () => {
    await rig.addStream();
    const before = Date.now();
    await rig.publish('s.a', 7, { Origin: 'test', 'X-Empty': '' });
    await rig.publish('s.b', 8);
    const source = sourceOf({
      map: (value, message) => {
        const { subject, sequence, timeMs } = message;
        const headers = ['Origin', 'X-Empty', 'None'].map((name) => message.header(name));
        return { value, subject, sequence, timeMs, headers };
      },
    });
    await withSource(source, async ({ reader }) => {
      await reader.available();
      const chunk = reader.poll(10);
      if (chunk === undefined || chunk === 'end') throw new Error('a chunk was expected');
      const [first, second] = chunk.values;
      expect(first).toMatchObject({ value: 7, subject: 's.a', sequence: 1 });
      expect(first!.headers).toEqual(['test', '', undefined]);
      expect(second!.headers).toEqual([undefined, undefined, undefined]);
      expect([...chunk.timestamps!.subarray(0, 2)]).toEqual([first!.timeMs, second!.timeMs]);
      expect(first!.timeMs).toBeGreaterThanOrEqual(before - 1);
      expect(first!.timeMs).toBeLessThanOrEqual(Date.now() + 1);
    });
  });

  test('what cannot be decoded is bad input with its bytes and sequence', async () => {
    await rig.addStream();
    await rig.publish('s.n', 1);
    await rig.publish('s.n', new TextEncoder().encode('{"half'));
    await rig.publish('s.n', Uint8Array.of(34, 0xff, 34));
    await rig.publish('s.n', 2);
    const arrived = await readAll();
    expect(valuesOf(arrived)).toEqual([1, 2]);
    const bad = arrived.filter(({ bad }) => bad !== undefined);
    expect(bad.map(({ position, raw }) => [position, [...(raw as Uint8Array)]])).toEqual([
      ['sequence 2', [...new TextEncoder().encode('{"half')]],
      ['sequence 3', [34, 0xff, 34]],
    ]);
    expect(valuesOf(arrived)).toEqual([1, 2]);
  });

  describe('loses nothing and doubles nothing', () => {
    test('when the server is killed and comes back, twice', async () => {
      await rig.addStream();
      await rig.publishNumbers(0, 10_000);
      await withSource(sourceOf(), async ({ next, counter }) => {
        const values = [...(await next(3_000))];
        await rig.server.kill();
        values.push(...(await next(500)));
        await rig.server.restart();
        values.push(...(await next(4_000)));
        await rig.server.restart();
        values.push(...(await next(10_000)));
        expect(values).toEqual(numbers(0, 10_000));
        expect(counter('natsConsumerRecreations')).toBeGreaterThanOrEqual(1);
      });
    });

    test('when its consumer is deleted', async () => {
      await rig.addStream();
      await withSource(sourceOf({ bounded: false }), async ({ next, counter }) => {
        await rig.publishNumbers(0, 10);
        expect(await next(10)).toEqual(numbers(0, 10));
        for (const name of await rig.consumers()) await rig.api(`CONSUMER.DELETE.S.${name}`);
        await rig.publishNumbers(10, 20);
        expect(await next(10)).toEqual(numbers(10, 20));
        expect(counter('natsConsumerRecreations')).toBe(1);
      });
    });

    test('when messages were delivered and did not arrive, also the last ones', async () => {
      await rig.addStream();
      await withSource(sourceOf({ bounded: false }), async ({ next, counter }) => {
        await rig.publishNumbers(0, 10);
        expect(await next(10)).toEqual(numbers(0, 10));
        // Somebody else asks the same consumer; what he gets, the source does not.
        const [name] = await rig.consumers();
        await rig.pull(name!, 5_000);
        await rig.publishNumbers(10, 13);
        expect(await next(3)).toEqual(numbers(10, 13));
        expect(counter('natsConsumerRecreations')).toBeGreaterThanOrEqual(1);
      });
    });

    test('while the server is paused longer than a consumer may be silent', async () => {
      await rig.addStream();
      await rig.publishNumbers(0, 100);
      await withSource(sourceOf({ bounded: false }), async ({ next }) => {
        expect(await next(100)).toEqual(numbers(0, 100));
        await rig.server.pause();
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        rig.server.resume();
        await rig.publishNumbers(100, 200);
        expect(await next(100)).toEqual(numbers(100, 200));
      });
    });
  });

  describe('is refused as changed', () => {
    /** Reads 5 of 10, does something to the stream, and goes on. */
    async function goOn(
      harm: () => Promise<void>,
      options: Partial<JetstreamSourceOptions<number>> = {},
    ) {
      await rig.addStream();
      await rig.publishNumbers(0, 10);
      const source = sourceOf({ bounded: false, ...options });
      const restored = await withSource(source, async ({ next, snapshot }) => {
        await next(5);
        return snapshot();
      });
      await harm();
      return withSource(
        source,
        async ({ next, counter }) => {
          const values = await next(3);
          return { values, truncated: counter('natsMessagesTruncated') };
        },
        restored,
      );
    }
    const refused = (text: string | RegExp) => ({
      code: 'ERR_SOURCE_CHANGED',
      message: expect.stringMatching(text),
    });

    test('a stream that was deleted', async () => {
      const going = goOn(() => rig.api('STREAM.DELETE.S'));
      await expect(going).rejects.toMatchObject(refused('is not there any more'));
    });

    test('one that was created again', async () => {
      const going = goOn(async () => {
        await rig.api('STREAM.DELETE.S');
        await rig.addStream();
        await rig.publishNumbers(0, 20);
      });
      await expect(going).rejects.toMatchObject(refused('was deleted and created again'));
    });

    test('one that was purged, also in part', async () => {
      const going = goOn(() => rig.api('STREAM.PURGE.S', { seq: 8 }));
      await expect(going).rejects.toMatchObject(refused(/lost 2 messages \(sequences 6 to 7\)/));
    });

    test('but not when it is told to go on: it counts and warns', async () => {
      const purge = () => rig.api<void>('STREAM.PURGE.S', { seq: 8 });
      const going = goOn(purge, { onTruncated: 'continue' });
      await expect(going).resolves.toEqual({ values: [7, 8, 9], truncated: 2 });
    });

    test('and not when only what was read is gone', async () => {
      const going = goOn(() => rig.api('STREAM.PURGE.S', { seq: 6 }));
      await expect(going).resolves.toEqual({ values: [5, 6, 7], truncated: 0 });
    });

    test.each([
      ['ends before the position', 3, /was rolled back: it ends at sequence 3/],
      ['has other messages there', 30, /rolled back and written again: sequence 5 is another/],
    ])('one that was put back and %s', async (_name, count, text) => {
      await rig.addStream();
      const old = await rig.saveStore();
      const source = sourceOf({ bounded: false });
      await rig.publishNumbers(0, 10);
      const restored = await withSource(source, async ({ next, snapshot }) => {
        await next(5);
        return snapshot();
      });
      await old.putBack();
      await rig.publishNumbers(100, 100 + count);
      const going = withSource(source, ({ next }) => next(1), restored);
      await expect(going).rejects.toMatchObject(refused(text));
    });

    test('one that loses messages while the job runs behind', async () => {
      await rig.addStream({ max_msgs: 10_000 });
      await rig.publishNumbers(0, 9_000);
      const reading = withSource(sourceOf({ bounded: false }), async ({ next }) => {
        await next(1);
        await rig.publishNumbers(9_000, 18_000);
        for (;;) await next(1_000);
      });
      await expect(reading).rejects.toMatchObject(refused(/has lost \d+ messages/));
    });

    test('while it runs: one that is created again, and one that is put back', async () => {
      await rig.addStream();
      const old = await rig.saveStore();
      const reading = async (harm: () => Promise<unknown>) =>
        withSource(sourceOf({ bounded: false }), async ({ next }) => {
          await rig.publishNumbers(0, 10);
          await next(10);
          await harm();
          await next(1);
        });
      await expect(reading(() => old.putBack())).rejects.toMatchObject(refused('rolled back'));
      const again = reading(async () => {
        await rig.api('STREAM.DELETE.S');
        await rig.addStream();
      });
      await expect(again).rejects.toMatchObject(refused(/created again|not there any more/));
    });
  });

  test('a filtered split that was idle is not refused when others lose messages', async () => {
    await rig.addStream();
    await rig.publish('s.rare', 1);
    await rig.publishNumbers(0, 10);
    const source = sourceOf({ bounded: false, subjects: ['s.rare'] });
    const restored = await withSource(source, async ({ next, snapshot }) => {
      await next(1);
      for (;;) {
        const taken = snapshot();
        const { seen } = taken.splits[0]!.position as { seen?: number };
        if (seen === 11) return taken;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    await rig.api('STREAM.PURGE.S');
    await rig.publish('s.rare', 2);
    await withSource(source, async ({ next }) => expect(await next(1)).toEqual([2]), restored);
  });

  test('messages removed in the middle are passed over', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 10);
    for (const seq of [4, 5, 10]) await rig.api('STREAM.MSG.DELETE.S', { seq });
    expect(valuesOf(await readAll())).toEqual([0, 1, 2, 5, 6, 7, 8]);
  });

  test('a job that takes nothing is not sent more than its share', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 6_000);
    // A bounded source gives its consumer up when all has arrived, and then cannot be asked.
    await withSource(sourceOf({ bounded: false }), async ({ reader, next }) => {
      await reader.available();
      const [name] = await rig.consumers();
      const delivered = async () => {
        const { delivered } = await rig.api<{ delivered: { stream_seq: number } }>(
          `CONSUMER.INFO.S.${name}`,
        );
        return delivered.stream_seq;
      };
      while ((await delivered()) < 4_096);
      await next(1_000);
      expect(await delivered()).toBe(4_096);
      await next(2_000);
      while ((await delivered()) < 6_000);
      expect(await next(3_000)).toEqual(numbers(3_000, 6_000));
    });
  });

  test('large messages are bounded by bytes, and one beyond the bound comes alone', async () => {
    await rig.addStream();
    const text = (n: number, length: number) => `${n}${'x'.repeat(length)}`;
    for (let n = 0; n < 40; n += 1) await rig.publish('s.n', text(n, n === 20 ? 900_000 : 300_000));
    // The share of a reader with many splits is less than its largest message.
    const subjects = ['s.n', ...Array.from({ length: 40 }, (_, index) => `s.x${index}`)];
    const arrived = await withSource(
      jetstreamSource<string>({ nats: rig.nats, stream: 'S', bounded: true, subjects }),
      async ({ reader }) => (await readOn(reader)).arrived,
    );
    expect(valuesOf(arrived).map((value) => Number.parseInt(value as string, 10))).toEqual(
      numbers(0, 40),
    );
  });

  test('a paused split is not read, and goes on', async () => {
    await rig.addStream();
    await withSource(sourceOf({ bounded: false, subjects: ['s.a', 's.b'] }), async (opened) => {
      const { reader, next } = opened;
      reader.pauseSplits(['S/s.a']);
      await rig.publishNumbers(0, 10, (n) => (n % 2 === 0 ? 's.a' : 's.b'));
      expect(await next(5)).toEqual([1, 3, 5, 7, 9]);
      expect(reader.poll(10)).toBeUndefined();
      reader.resumeSplits(['S/s.a']);
      expect(await next(5)).toEqual([0, 2, 4, 6, 8]);
    });
  });

  describe('cannot be started', () => {
    test.each([['without its stream', { stream: 'NONE' }, 'ERR_SOURCE_FAILED']])(
      '%s',
      async (_name, options, code) => {
        await expect(readAll(options)).rejects.toMatchObject({ code });
      },
    );

    test('from a checkpoint whose splits it does not name', async () => {
      await rig.addStream();
      await rig.publishNumbers(0, 3);
      const source = sourceOf({ bounded: false, subjects: ['s.n'] });
      const restored = await withSource(source, async ({ next, snapshot }) => {
        await next(1);
        return snapshot();
      });
      const other = sourceOf({ bounded: false, subjects: ['s.*'] });
      await expect(withSource(other, ({ next }) => next(1), restored)).rejects.toMatchObject({
        code: 'ERR_SOURCE_CHANGED',
        message: expect.stringContaining('S/s.n'),
      });
    });
  });
});
