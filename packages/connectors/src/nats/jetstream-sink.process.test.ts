import type { RecordBatch, SinkWriter } from '@millrace/core/spi';
import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batchOf } from '../files/file-sink-driver.js';
import { openSource, readOn, testContext, valuesOf } from '../reading/reader-driver.js';
import { type JetstreamSinkOptions, jetstreamSink } from './jetstream-sink.js';
import { jetstreamSource } from './jetstream-source.js';
import { PlayedJob, processEnv, restoreFrom, type SinkRig, startSinkRig } from './sink-driver.js';

let rig: SinkRig;

beforeEach(async () => {
  rig = await startSinkRig(await startNatsServer());
});
afterEach(() => rig.stop());

const sinkOf = (more: Partial<JetstreamSinkOptions<number>> = {}) =>
  jetstreamSink<number>({ nats: rig.nats, subject: 's.rows', ...more });

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** More rows than a batch of the engine has, so that they come in several. */
async function writeAll(writer: SinkWriter, rows: readonly number[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 500) {
    await writer.write(batchOf(...rows.slice(at, at + 500)) as RecordBatch);
  }
}

const rowsIn = async (stream = 'S'): Promise<number[]> =>
  (await rig.messages(stream)).map(({ text }) => Number(text));

const refusal = async (writer: SinkWriter): Promise<string> => {
  try {
    await writer.open?.();
    return 'opened';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await writer.close?.();
  }
};

describe.skipIf(natsSkipReason() !== undefined)('a JetStream sink, exactly once', () => {
  beforeEach(() => rig.addStream({ name: 'S', subjects: ['s.>'] }));

  test('publishes in batches of at most 900, each with a marker that says how far it is', async () => {
    const job = new PlayedJob();
    const writer = job.process(sinkOf());
    await writer.open?.();
    await writeAll(writer, numbers(0, 2_000));
    await writer.prepare?.(1);
    expect(await rowsIn()).toEqual([]);
    await writer.committed?.(1);
    await writer.prepare?.(2);
    await writer.committed?.(2);
    await writer.close?.();
    expect(await rowsIn()).toEqual(numbers(0, 2_000));
    const own = { format: 1, job: 'played', sink: 'out', shard: 0, lineage: 'one' };
    expect(await rig.markers('S')).toEqual([
      { ...own, checkpoint: 1, chunk: 1, of: 3 },
      { ...own, checkpoint: 1, chunk: 2, of: 3 },
      { ...own, checkpoint: 1, chunk: 3, of: 3 },
      { ...own, checkpoint: 2, chunk: 1, of: 1 },
    ]);
  });

  test('its markers are no records for whoever reads all of the stream', async () => {
    const writer = new PlayedJob().process(sinkOf());
    await writer.open?.();
    for (const checkpoint of [1, 2, 3]) {
      await writeAll(writer, [checkpoint]);
      await writer.prepare?.(checkpoint);
      await writer.committed?.(checkpoint);
    }
    await writer.close?.();
    const source = jetstreamSource<number>({ nats: rig.nats, stream: 'S', bounded: true });
    const { reader } = await openSource(source, testContext(processEnv(1)));
    const { arrived } = await readOn(reader);
    await reader.close?.();
    expect(valuesOf(arrived)).toEqual([1, 2, 3]);
  });

  test('makes the stream that is named, with its fences, where there is none', async () => {
    const sink = sinkOf({ stream: 'NEW', subject: 'new', createStream: { maxAge: '1d' } });
    const writer = new PlayedJob().process(sink);
    await writer.open?.();
    const { config } = await rig.api<{ readonly config: object }>('STREAM.INFO.NEW');
    expect(config).toMatchObject({
      subjects: ['new', 'new.fence.>'],
      allow_atomic: true,
      max_age: 86_400e9,
    });
    await writeAll(writer, [1]);
    await writer.prepare?.(1);
    await writer.committed?.(1);
    await writer.close?.();
    expect(await rowsIn('NEW')).toEqual([1]);
  });

  test('leaves to its successor what it cannot publish when it is to end', async () => {
    const job = new PlayedJob();
    const writer = job.process(sinkOf());
    await writer.open?.();
    await writeAll(writer, numbers(0, 2_000));
    const restored = await restoreFrom(writer, 1);
    await rig.server.kill();
    const publishing = expect(writer.committed?.(1)).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
    writer.cancel?.();
    await publishing;
    await writer.close?.();
    await rig.server.restart();
    const successor = job.process(sinkOf(), { restored });
    await successor.open?.();
    await successor.close?.();
    expect(await rowsIn()).toEqual(numbers(0, 2_000));
  });

  test('goes on in the middle of what its predecessor had published', async () => {
    for (const published of [1, 2, 3]) {
      const job = new PlayedJob({ id: `history-${published}`, parent: undefined });
      const sink = sinkOf({ subject: `s.${published}`, fence: `s.fences.${published}` });
      const first = job.process(sink);
      await first.open?.();
      await writeAll(first, numbers(0, 2_000));
      const restored = await restoreFrom(first, 1);
      let batches = 0;
      const { connection } = rig;
      const subscription = connection.subscribe(`s.fences.${published}.>`, {
        callback: () => {
          batches += 1;
        },
      });
      // Left while it publishes, at the time that a chunk has been stored.
      const left = first.committed!(1).catch(() => undefined);
      while (batches < published) await new Promise((resolve) => setImmediate(resolve));
      const second = job.process(sink, { restored });
      await second.open?.();
      await left;
      subscription.unsubscribe();
      const rows = (await rig.messages('S'))
        .filter(({ subject }) => subject === `s.${published}`)
        .map(({ text }) => Number(text));
      expect(rows).toEqual(numbers(0, 2_000));
      await first.close?.();
      await second.close?.();
    }
  });

  test.each([0, 2, 5, 10, 20, 40])(
    'a server that is killed %d ms after publishing began costs time, and no row',
    async (delayMs) => {
      const writer = new PlayedJob().process(sinkOf());
      await writer.open?.();
      await writeAll(writer, numbers(0, 8_000));
      await writer.prepare?.(1);
      const committed = writer.committed!(1);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await rig.server.restart();
      await committed;
      await writer.close?.();
      expect(await rowsIn()).toEqual(numbers(0, 8_000));
    },
  );

  test('a server that is paused and goes on later has stored each batch once', async () => {
    const writer = new PlayedJob().process(sinkOf());
    await writer.open?.();
    await writeAll(writer, numbers(0, 3_000));
    await writer.prepare?.(1);
    const committed = writer.committed!(1);
    await rig.server.pause();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    rig.server.resume();
    await committed;
    await writer.close?.();
    expect(await rowsIn()).toEqual(numbers(0, 3_000));
  });

  test('shards that are not there any more are published by the first of the new ones', async () => {
    const job = new PlayedJob();
    const old = [0, 1, 2].map((subtask) => job.process(sinkOf(), { subtask, parallelism: 3 }));
    for (const [shard, writer] of old.entries()) {
      await writer.open?.();
      await writeAll(writer, [shard * 10, shard * 10 + 1]);
    }
    const restored = await restoreFrom(old, 1);
    for (const writer of old) await writer.close?.();
    const now = [0, 1].map((subtask) =>
      job.process(sinkOf(), { subtask, parallelism: 2, restored }),
    );
    for (const writer of now) await writer.open?.();
    expect((await rowsIn()).sort((a, b) => a - b)).toEqual([0, 1, 10, 11, 20, 21]);
    for (const writer of now) await writer.close?.();
    // And once more: it is all there.
    const again = job.process(sinkOf(), { restored });
    await again.open?.();
    await again.close?.();
    expect(await rowsIn()).toHaveLength(6);
  });
});

describe.skipIf(natsSkipReason() !== undefined)('a job that goes on with another guarantee', () => {
  beforeEach(() => rig.addStream({ name: 'S', subjects: ['s.>'] }));

  describe.each([
    ['exactly-once', 'effectively-once'],
    ['exactly-once', 'at-least-once'],
    ['effectively-once', 'exactly-once'],
    ['effectively-once', 'at-least-once'],
  ] as const)('%s before, now %s', (before, now) => {
    test.each(['published', 'not published'])('what its checkpoint has is %s', async (state) => {
      const job = new PlayedJob();
      const former = [0, 1].map((subtask) =>
        job.process(sinkOf({ guarantee: before }), { subtask, parallelism: 2 }),
      );
      for (const [subtask, writer] of former.entries()) {
        await writer.open?.();
        await writeAll(writer, [subtask]);
      }
      const restored = await restoreFrom(former, 1);
      for (const writer of former) {
        if (state === 'published') await writer.committed?.(1);
        await writer.close?.();
      }
      // One subtask, as there may be fewer now; and twice, as the first may come to nothing.
      for (let starts = 0; starts < 2; starts += 1) {
        const writer = job.process(sinkOf({ guarantee: now }), { restored });
        await writer.open?.();
        await writer.close?.();
      }
      expect([...(await rowsIn())].sort()).toEqual([0, 1]);
    });
  });

  test('on a stream that takes no batches any more: nobody can say what is published', async () => {
    const job = new PlayedJob();
    const writer = job.process(sinkOf());
    await writer.open?.();
    await writeAll(writer, [1]);
    const restored = await restoreFrom(writer, 1);
    await writer.close?.();
    const { config } = await rig.api<{ config: object }>('STREAM.INFO.S');
    await rig.api('STREAM.UPDATE.S', { ...config, allow_atomic: false });
    const now = job.process(sinkOf({ guarantee: 'effectively-once' }), { restored });
    expect(await refusal(now)).toMatch(
      /ERR_STATE_INCOMPATIBLE.*checkpoint 1 has output.*exactly-once.*set allow_atomic/,
    );
    expect(await rowsIn()).toEqual([]);
  });
});

describe.skipIf(natsSkipReason() !== undefined)('who does not own the output', () => {
  beforeEach(() => rig.addStream({ name: 'S', subjects: ['s.>'] }));

  /** A job that has published checkpoints 1 and 2, and what it had prepared for them. */
  async function published() {
    const job = new PlayedJob();
    const writer = job.process(sinkOf());
    await writer.open?.();
    await writeAll(writer, [1]);
    const first = await restoreFrom(writer, 1);
    await writer.committed?.(1);
    await writeAll(writer, [2]);
    const second = await restoreFrom(writer, 2);
    await writer.committed?.(2);
    return { job, writer, first, second };
  }

  test('a job that begins with nothing beside one that has published', async () => {
    const { writer } = await published();
    await writer.close?.();
    const fresh = new PlayedJob({ id: 'other', parent: undefined });
    expect(await refusal(fresh.process(sinkOf()))).toMatch(
      /ERR_SINK_FENCED.*checkpoint 2 of history one has published.*existing: 'takeOver'/,
    );
    const taking = fresh.process(sinkOf({ existing: 'takeOver' }));
    await taking.open?.();
    expect(taking.log.join()).toContain('output is published again');
    await writeAll(taking, [1, 2]);
    await taking.prepare?.(1);
    await taking.committed?.(1);
    await taking.close?.();
    expect(await rowsIn()).toEqual([1, 2, 1, 2]);
  });

  test('one whose record went back', async () => {
    const { job, writer, first } = await published();
    await writer.close?.();
    expect(await refusal(job.process(sinkOf(), { restored: first }))).toMatch(
      /ERR_METADATA_ROLLBACK.*checkpoint 2 of history one is published.*restored from checkpoint 1/,
    );
    expect(await rowsIn()).toEqual([1, 2]);
  });

  test('one that begins a new history unasked; asked, it publishes again and shuts out the old', async () => {
    const { job, writer, first } = await published();
    const forked = job.fork('two', 1);
    expect(await refusal(forked.process(sinkOf(), { restored: first }))).toMatch(
      /ERR_REPLAY_NOT_ACCEPTED.*checkpoint 2 of history one/,
    );
    const replaying = forked.process(sinkOf(), { restored: first, replay: 'accepted' });
    await replaying.open?.();
    expect(replaying.log.join()).toMatch(/published after checkpoint 1 \(at most 4 messages\)/);
    await writeAll(replaying, [20]);
    await replaying.prepare?.(3);
    await replaying.committed?.(3);
    await replaying.close?.();

    await writeAll(writer, [3]);
    await writer.prepare?.(3);
    await expect(writer.committed?.(3)).rejects.toThrow(
      /ERR_SINK_FENCED.*checkpoint 3 of history two was published by another process/,
    );
    await writer.close?.();
    expect(await rowsIn()).toEqual([1, 2, 20]);
  });

  test('a former process that has not noticed that there is another', async () => {
    const { job, writer, second } = await published();
    const successor = job.process(sinkOf(), { restored: second });
    await successor.open?.();
    await writeAll(successor, [3]);
    await successor.prepare?.(3);
    await successor.committed?.(3);
    await writeAll(writer, [33]);
    await writer.prepare?.(4);
    await expect(writer.committed?.(4)).rejects.toMatchObject({ code: 'ERR_SINK_FENCED' });
    await expect(writer.committed?.(5)).rejects.toMatchObject({ code: 'ERR_SINK_FENCED' });
    for (const each of [writer, successor]) await each.close?.();
    expect(await rowsIn()).toEqual([1, 2, 3]);
  });

  test('one whose stream lost messages, was emptied, or is another one', async () => {
    const { job, writer, second } = await published();
    await writeAll(writer, [3]);
    const third = await restoreFrom(writer, 3);
    await writer.close?.();
    await rig.api('STREAM.PURGE.S', { filter: 's.rows.fence.>' });
    const gone = /ERR_SINK_CHANGED.*fence was at sequence 4 and is not there any more/;
    expect(await refusal(job.process(sinkOf(), { restored: third }))).toMatch(gone);
    await rig.api('STREAM.DELETE.S');
    await rig.addStream({ name: 'S', subjects: ['s.>'] });
    expect(await refusal(job.process(sinkOf(), { restored: third }))).toMatch(gone);
    const taking = job.process(sinkOf({ existing: 'takeOver' }), { restored: third });
    await taking.open?.();
    await taking.close?.();
    expect(await rowsIn()).toEqual([3]);
    // Two messages were written since; the fence was at the fourth before.
    await rig.api('STREAM.PURGE.S', { filter: 's.rows.fence.>' });
    expect(await refusal(job.process(sinkOf(), { restored: second }))).toMatch('ERR_SINK_CHANGED');
  });

  test('a running one whose fence went back', async () => {
    const { writer } = await published();
    await rig.api('STREAM.MSG.DELETE.S', { seq: 4 });
    await writeAll(writer, [3]);
    await writer.prepare?.(3);
    await expect(writer.committed?.(3)).rejects.toThrow(
      /ERR_SINK_CHANGED.*fence is at sequence 2 and was at 4 before/,
    );
    await writer.close?.();
    expect(await rowsIn()).toEqual([1, 2]);
  });
});

describe.skipIf(natsSkipReason() !== undefined)('what cannot be published', () => {
  test.each<[string, object, Partial<JetstreamSinkOptions<number>>, RegExp]>([
    ['there is no stream', { name: 'X', subjects: ['x'] }, {}, /no stream takes "s\.rows"/],
    ['it is not there', { name: 'X', subjects: ['x'] }, { stream: 'S' }, /no stream S/],
    [
      'it does not allow batches',
      { name: 'S', subjects: ['s.>'], allow_atomic: false },
      {},
      /stream S does not allow atomic batches.*set allow_atomic/,
    ],
    [
      'it does not take the fence',
      { name: 'S', subjects: ['s.rows'] },
      {},
      /does not take the fence "s\.rows\.fence\.played\.out\.0": add "s\.rows\.fence\.>"/,
    ],
    [
      'it drops what nobody waits for',
      { name: 'S', subjects: ['s.>'], retention: 'interest' },
      {},
      /retention interest/,
    ],
  ])('%s: refused when it opens', async (_, stream, options, why) => {
    await rig.addStream(stream as { name: string });
    const message = await refusal(new PlayedJob().process(sinkOf(options)));
    expect(message).toMatch('ERR_NATS_STREAM_UNFIT');
    expect(message).toMatch(why);
  });

  test('a record that is too large, or goes elsewhere: told with its place in the batch', async () => {
    await rig.addStream({ name: 'S', subjects: ['s.>'], max_msg_size: 300 });
    const sink = jetstreamSink<{ to: string; text: string }>({
      nats: rig.nats,
      stream: 'S',
      subject: ({ to }) => to,
      fence: 's.fence',
    });
    const writer = new PlayedJob().process(sink);
    await writer.open?.();
    const fine = { to: 's.a', text: 'x' };
    const failureOf = (bad: object): unknown => {
      try {
        return writer.write(batchOf(fine, fine, bad) as RecordBatch);
      } catch (error) {
        return error;
      }
    };
    expect(failureOf({ to: 's.a', text: 'x'.repeat(200) })).toMatchObject({
      index: 2,
      cause: { code: 'ERR_SINK_RECORD', detail: expect.stringContaining('172 are allowed') },
    });
    expect(failureOf({ to: 't.a', text: '' })).toMatchObject({
      index: 2,
      cause: { code: 'ERR_SINK_RECORD', detail: expect.stringContaining('does not take "t.a"') },
    });
    await writer.close?.();
  });

  test('effectively once, when the stream does not remember so long', async () => {
    const second = 1e9;
    await rig.addStream({ name: 'S', subjects: ['s.>'], duplicate_window: 60 * second });
    const sink = sinkOf({ guarantee: 'effectively-once' });
    const job = new PlayedJob();
    const writer = job.process(sink);
    await writer.open?.();
    await writeAll(writer, [1]);
    const restored = await restoreFrom(writer, 1);
    await writer.close?.();
    const [prepared] = restored.prepared as { entries: { preparedMs: number }[] }[];
    prepared!.entries[0]!.preparedMs -= 61_000;
    expect(await refusal(job.process(sink, { restored }))).toMatch(
      /ERR_DUPLICATE_WINDOW.*checkpoint 1 was prepared 61 s ago, stream S remembers 60 s/,
    );
    const accepted = job.process(sink, { restored, replay: 'accepted' });
    await accepted.open?.();
    await accepted.close?.();
    expect(await rowsIn()).toEqual([1]);
  });
});

describe.skipIf(natsSkipReason() !== undefined)('permissions', () => {
  /** A user with a list of what is denied may still ask the server for that list. */
  const config = `authorization { users = [
    { user: boss, password: p }
    { user: sink, password: p, permissions: { publish: { deny: ["s.secret"] } } }
    { user: blind, password: p, permissions: {
      publish: { allow: ["$JS.API.>", "s.rows.fence.>"] } } }
    { user: guide, password: p, permissions: {
      publish: { allow: ["s.rows", "s.rows.fence.>", "$JS.API.INFO", "$JS.API.STREAM.INFO.S",
        "$JS.API.STREAM.MSG.GET.S", "$JS.API.STREAM.NAMES"] },
      subscribe: { allow: ["_INBOX.>"] } } } ] }`;
  const nats = (user: string) => {
    process.env.MILLRACE_TEST_PASSWORD = 'p';
    return { servers: rig.server.url, auth: { user, password: { env: 'MILLRACE_TEST_PASSWORD' } } };
  };
  beforeEach(async () => {
    await rig.stop();
    rig = await startSinkRig(await startNatsServer({ config }), { user: 'boss', pass: 'p' });
    await rig.addStream({ name: 'S', subjects: ['s.>'] });
  });

  test('a subject that may not be published to is told with its record', async () => {
    const subject = (n: number): string => (n === 2 ? 's.secret' : 's.rows');
    const sink = sinkOf({ nats: nats('sink'), stream: 'S', subject, fence: 's.fence' });
    const writer = new PlayedJob().process(sink);
    await writer.open?.();
    expect(() => writer.write(batchOf(1, 2) as RecordBatch)).toThrowError(
      expect.objectContaining({
        index: 1,
        cause: expect.objectContaining({ code: 'ERR_NATS_PERMISSION' }),
      }),
    );
    await writer.close?.();
  });

  test('as the guide says they are enough', async () => {
    const writer = new PlayedJob().process(sinkOf({ nats: nats('guide') }));
    await writer.open?.();
    await writeAll(writer, [1]);
    await writer.prepare?.(1);
    await writer.committed?.(1);
    await writer.close?.();
    expect(await rowsIn()).toEqual([1]);
  });

  test('one who may not ask is told when it is published; then nothing was', async () => {
    const job = new PlayedJob();
    const writer = job.process(sinkOf({ nats: nats('blind') }));
    await writer.open?.();
    await writeAll(writer, [1]);
    const restored = await restoreFrom(writer, 1);
    await expect(writer.committed?.(1)).rejects.toMatchObject({ code: 'ERR_NATS_PERMISSION' });
    await writer.close?.();
    expect(await rowsIn()).toEqual([]);
    const allowed = job.process(sinkOf({ nats: nats('boss') }), { restored });
    await allowed.open?.();
    await allowed.close?.();
    expect(await rowsIn()).toEqual([1]);
  });
});
