import { type SourceUnderTest, sourceConformance } from '@millrace/testing';
import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { describe, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import { realEnv } from './connection-driver.js';
import { jetstreamSource } from './jetstream-source.js';
import type { KvRecord } from './kv-record.js';
import { kvSource } from './kv-source.js';
import { numbers, type StreamRig, startRig } from './stream-driver.js';

const heldMax = connectorLimits.natsSplitMessagesMax;

/** What all consumers of a stream have delivered; they are one at a time for each split. */
async function deliveredOf(rig: StreamRig, stream: string): Promise<number> {
  let delivered = 0;
  for (const name of await rig.consumers(stream)) {
    const info = await rig
      .api<{ delivered: { consumer_seq: number } }>(`CONSUMER.INFO.${stream}.${name}`)
      .catch(() => undefined);
    delivered += info?.delivered.consumer_seq ?? 0;
  }
  return delivered;
}

async function jetstreamUnderTest(): Promise<SourceUnderTest> {
  const rig = await startRig(await startNatsServer());
  await rig.addStream();
  const all = numbers(0, heldMax * 2 + 500);
  await rig.publishNumbers(0, all.length, (n) => `s.${n % 2}`);
  const { nats } = rig;
  return {
    source: jetstreamSource({ nats, stream: 'S', subjects: ['s.0', 's.1'], bounded: true }),
    env: realEnv(),
    expected: {
      'S/s.0': all.filter((n) => n % 2 === 0),
      'S/s.1': all.filter((n) => n % 2 === 1),
    },
    disturb: () => rig.server.restart(),
    async replace() {
      await rig.api('STREAM.DELETE.S');
      await rig.addStream();
      await rig.publishNumbers(0, 500, (n) => `s.${n % 2}`);
    },
    fetched: () => deliveredOf(rig, 'S'),
    // Both splits hold as many.
    heldMax: heldMax * 2,
    close: () => rig.stop(),
  };
}

async function kvUnderTest(): Promise<SourceUnderTest> {
  const rig = await startRig(await startNatsServer());
  const config = { max_msgs_per_subject: 1, allow_direct: true };
  const addBucket = () => rig.addStream({ name: 'KV_b', subjects: ['$KV.b.>'], ...config });
  await addBucket();
  const all = numbers(0, heldMax + 200);
  const fill = (count: number) => rig.publishNumbers(0, count, (n) => `$KV.b.key-${n}`);
  await fill(all.length);
  return {
    source: kvSource({ nats: rig.nats, bucket: 'b', bounded: true }),
    env: realEnv(),
    expected: { b: all },
    comparable: (record) => (record as KvRecord<number>).value,
    disturb: () => rig.server.restart(),
    async replace() {
      await rig.api('STREAM.DELETE.KV_b');
      await addBucket();
      await fill(100);
    },
    fetched: () => deliveredOf(rig, 'KV_b'),
    heldMax,
    close: () => rig.stop(),
  };
}

describe.skipIf(natsSkipReason() !== undefined)('sources of streams', () => {
  const suites = [
    ...sourceConformance('JetStream', jetstreamUnderTest),
    ...sourceConformance('KV', kvUnderTest),
  ];
  for (const { name, skipped, run } of suites) test.skipIf(skipped !== undefined)(name, run);
});
