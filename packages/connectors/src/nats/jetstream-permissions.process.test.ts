import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { expect, test } from 'vitest';
import { readOn, valuesOf } from '../reading/reader-driver.js';
import { type JetstreamSourceOptions, jetstreamSource } from './jetstream-source.js';
import { numbers, startRig, withSource } from './stream-driver.js';

/** As the guide says it, for a stream `S`. */
const allowed = [
  '$JS.API.STREAM.INFO.S',
  '$JS.API.CONSUMER.CREATE.S.>',
  '$JS.API.CONSUMER.MSG.NEXT.S.>',
  '$JS.API.CONSUMER.DELETE.S.>',
];
const cases: readonly (readonly [
  string,
  readonly string[],
  Partial<JetstreamSourceOptions<number>>,
])[] = [
  ['all subjects', [], {}],
  ['some subjects', ['$JS.API.STREAM.MSG.GET.S'], { subjects: ['s.n'] }],
  ['from a time on', ['$JS.API.CONSUMER.CREATE.S'], { start: { timeMs: 1 } }],
  ['a work queue', ['$JS.API.CONSUMER.LIST.S', '$JS.ACK.S.>'], { durable: 'job' }],
];

test.skipIf(natsSkipReason() !== undefined).each(cases)(
  'the permissions in the guide are what is needed to read %s',
  async (_name, more, options) => {
    process.env.MILLRACE_TEST_PASSWORD = 'pw';
    const publish = JSON.stringify([...allowed, ...more]);
    const server = await startNatsServer({
      config: `no_auth_user: admin
        authorization { users = [{ user: admin, password: "pw" }, { user: reader, password: "pw",
          permissions: { publish: ${publish}, subscribe: "_INBOX.>" } }] }`,
    });
    const rig = await startRig(server);
    try {
      await rig.addStream(options.durable === undefined ? {} : { retention: 'workqueue' });
      await rig.publishNumbers(0, 10);
      const auth = { user: 'reader', password: { env: 'MILLRACE_TEST_PASSWORD' } };
      const nats = { ...rig.nats, auth };
      const source = jetstreamSource<number>({ nats, stream: 'S', bounded: true, ...options });
      await withSource(source, async ({ reader }) => {
        expect(valuesOf((await readOn(reader)).arrived)).toEqual(numbers(0, 10));
        reader.snapshot(1);
        await reader.committed!(1);
      });
      const stored = async () =>
        (await rig.api<{ state: { messages: number } }>('STREAM.INFO.S')).state.messages;
      while ((await stored()) !== (options.durable === undefined ? 10 : 0));
    } finally {
      await rig.stop();
    }
  },
);
