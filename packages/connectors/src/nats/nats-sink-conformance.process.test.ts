import { sinkConformance } from '@millrace/testing';
import { natsSkipReason } from '@millrace/testing/nats';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type JetstreamGuarantee, jetstreamSink } from './jetstream-sink.js';
import { processEnv, type SinkRig, startSinkRig } from './sink-driver.js';

let rig: SinkRig;
let streams = 0;
let processes = 0;

describe.skipIf(natsSkipReason() !== undefined)('sinks on NATS', () => {
  beforeAll(async () => {
    rig = await startSinkRig();
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
});
