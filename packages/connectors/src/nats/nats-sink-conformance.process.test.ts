import { sinkConformance } from '@millrace/testing';
import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type JetstreamGuarantee, jetstreamSink } from './jetstream-sink.js';
import { kvSink } from './kv-sink.js';
import { natsSink } from './nats-sink.js';
import { processEnv, type SinkRig, startSinkRig } from './sink-driver.js';

let rig: SinkRig;
let streams = 0;
let processes = 0;

describe.skipIf(natsSkipReason() !== undefined)('sinks on NATS', () => {
  beforeAll(async () => {
    rig = await startSinkRig(await startNatsServer());
    // While there is none a server removes the folder of streams, maybe below the next one.
    await rig.addStream({ name: 'KEEP', subjects: ['keep'] });
  });
  afterAll(() => rig.stop());

  describe.each<JetstreamGuarantee>(['exactly-once', 'effectively-once', 'at-least-once'])(
    'a stream, %s',
    (guarantee) => {
      const cases = sinkConformance(guarantee, async () => {
        streams += 1;
        const stream = `S${streams}`;
        await rig.addStream({ name: stream, subjects: [`${stream}.>`] });
        const { nats } = rig;
        const subject = `${stream}.rows`;
        return {
          sink: jetstreamSink<number>({ nats, stream, subject, guarantee }),
          record: (n) => n,
          visible: async () => (await rig.messages(stream)).map(({ text }) => Number(text)),
          env: () => {
            // Batches of processes that draw the same ids would mix.
            processes += 1;
            return processEnv(processes);
          },
          close: () => rig.api(`STREAM.DELETE.${stream}`),
        };
      });
      test.each(cases.map((each) => [each.name, each] as const))('%s', (_, each) => each.run());
    },
  );

  describe.each(['exactly-once', 'at-least-once'] as const)('a bucket, %s', (guarantee) => {
    const cases = sinkConformance(guarantee, async () => {
      streams += 1;
      const { nats } = rig;
      const bucket = `B${streams}`;
      const stream = `KV_${bucket}`;
      return {
        sink: kvSink<number>({
          nats,
          bucket,
          guarantee,
          key: (n) => `key.${n % 5}`,
          createBucket: { history: 64 },
        }),
        record: (n) => n,
        visible: async () => {
          const { error } = await rig.api<{ readonly error?: unknown }>(`STREAM.INFO.${stream}`);
          if (error !== undefined) return [];
          return (await rig.messages(stream)).map(({ text }) => Number(text));
        },
        env: () => processEnv(++processes),
        close: () => rig.api(`STREAM.DELETE.${stream}`),
      };
    });
    test.each(cases.map((each) => [each.name, each] as const))('%s', (_, each) => each.run());
  });

  describe('requests', () => {
    const cases = sinkConformance('at-least-once', async () => {
      streams += 1;
      const subject = `requests.${streams}`;
      const seen: number[] = [];
      const { nats, connection } = rig;
      const service = connection.subscribe(subject, {
        callback: (_, message) => {
          seen.push(Number(message.string()));
          message.respond('done');
        },
      });
      await connection.flush();
      return {
        sink: natsSink<number>({ nats, subject, reply: { timeout: '1s' } }),
        record: (n) => n,
        visible: async () => seen,
        env: () => processEnv(++processes),
        close: async () => service.unsubscribe(),
      };
    });
    test.each(cases.map((each) => [each.name, each] as const))('%s', (_, each) => each.run());
  });
});
