import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { natsSource } from './nats-source.js';
import { numbers, type OpenStream, type StreamRig, startRig, withSource } from './stream-driver.js';

describe.skipIf(natsSkipReason() !== undefined)('a source of core NATS', () => {
  let rig: StreamRig;
  beforeEach(async () => {
    rig = await startRig(await startNatsServer());
  });
  afterEach(() => rig?.stop());

  const sourceOf = (options: object = {}) =>
    natsSource<number>({ nats: rig.nats, subject: 't.*', ...options });

  /** What is published arrives once the server knows the subscription. */
  async function subscribed({ reader }: Pick<OpenStream<unknown>, 'reader'>): Promise<void> {
    const seen: unknown[] = [];
    const read = async () => {
      await rig.api('INFO');
      const chunk = reader.poll(100);
      if (chunk !== undefined && chunk !== 'end') seen.push(...chunk.values);
    };
    for (; seen.length === 0; await read()) rig.send('t.a', 'try');
    for (rig.send('t.a', 'last'); !seen.includes('last'); ) await read();
  }

  test('says that it loses messages', () => {
    const source = sourceOf();
    expect(source).toMatchObject({ replay: 'none', settings: { delivery: 'at-most-once' } });
  });

  test('gives what is published while it runs, with what belongs to a message', async () => {
    const source = natsSource({
      nats: rig.nats,
      subject: 't.*',
      map: (value: unknown, message) =>
        typeof value === 'string'
          ? value
          : `${message.subject} ${value} ${message.header('Origin')}`,
    });
    await withSource(source, async (opened) => {
      await subscribed(opened);
      rig.send('t.a', 1, { Origin: 'here' });
      rig.send('t.b', 2);
      expect(await opened.next(2)).toEqual(['t.a 1 here', 't.b 2 undefined']);
      expect(opened.snapshot().splits).toEqual([{ id: 't.*' }]);
    });
  });

  test('drops the oldest of what the job does not take, and counts them', async () => {
    await withSource(sourceOf({ bufferMax: 10 }), async (opened) => {
      await subscribed(opened);
      for (let n = 0; n < 25; n += 1) rig.send('t.a', n);
      while (opened.counter('numRecordsDropped') < 15) await new Promise(setImmediate);
      expect(await opened.next(10)).toEqual(numbers(15, 25));
      rig.send('t.a', 25);
      expect(await opened.next(1)).toEqual([25]);
      expect(opened.counter('numRecordsDropped')).toBe(15);
    });
  });

  test('goes on when the server is back', async () => {
    await withSource(sourceOf(), async (opened) => {
      await subscribed(opened);
      await rig.server.restart();
      await subscribed(opened);
      await rig.api('INFO');
      rig.send('t.a', 1);
      expect(await opened.next(1)).toEqual([1]);
    });
  });

  test('members of a queue group share the messages', async () => {
    const source = sourceOf({ queue: 'group' });
    await withSource(source, async (one) => {
      await withSource(source, async (other) => {
        const seen: number[][] = [[], []];
        const read = () => {
          for (const [index, { reader }] of [one, other].entries()) {
            const chunk = reader.poll(100);
            if (chunk !== undefined && chunk !== 'end') seen[index]!.push(...chunk.values);
          }
        };
        // Who has got one has subscribed.
        while (seen.some((each) => each.length === 0)) {
          rig.send('t.a', -1);
          await rig.api('INFO');
          read();
        }
        for (let n = 0; n < 100; n += 1) rig.send('t.a', n);
        const numbered = () => seen.flat().filter((n) => n >= 0);
        while (numbered().length < 100) {
          read();
          await new Promise(setImmediate);
        }
        expect(numbered().sort((a, b) => a - b)).toEqual(numbers(0, 100));
      });
    });
  });
});
