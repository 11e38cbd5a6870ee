import type { RecordBatch } from '@millrace/core/spi';
import { type NatsCluster, natsSkipReason, startNatsCluster } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batchOf } from '../files/file-sink-driver.js';
import { jetstreamSink } from './jetstream-sink.js';
import { PlayedJob, type SinkRig, startSinkRig } from './sink-driver.js';

describe.skipIf(natsSkipReason() !== undefined)('a sink of a stream on three servers', () => {
  let cluster: NatsCluster;
  let rig: SinkRig;
  beforeEach(async () => {
    cluster = await startNatsCluster(3);
    rig = await startSinkRig(cluster.servers[0]!, { servers: [...cluster.urls] });
    await rig.addStream({ name: 'S', subjects: ['s.>'], num_replicas: 3 });
  });
  afterEach(async () => {
    await rig.connection.close();
    await cluster.stop();
  });

  const leader = async (): Promise<string | undefined> => {
    const { cluster: of } = await rig.api<{ readonly cluster?: { readonly leader?: string } }>(
      'STREAM.INFO.S',
    );
    return of?.leader;
  };

  test('bears the loss of its leader while it publishes, again and again', async () => {
    const nats = { servers: [...cluster.urls] };
    const writer = new PlayedJob().process(jetstreamSink<number>({ nats, subject: 's.rows' }));
    await writer.open?.();
    let next = 0;
    for (let checkpoint = 1; checkpoint <= 3; checkpoint += 1) {
      for (let batch = 0; batch < 4; batch += 1) {
        const rows = Array.from({ length: 500 }, (_, index) => next + index);
        await writer.write(batchOf(...rows) as RecordBatch);
        next += rows.length;
      }
      await writer.prepare?.(checkpoint);
      const name = await leader();
      const victim = cluster.servers.find((server) => server.name === name)!;
      const committed = writer.committed!(checkpoint);
      await new Promise((resolve) => setTimeout(resolve, checkpoint * 7));
      await victim.kill();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await victim.restart();
      await committed;
    }
    await writer.close?.();
    const rows = (await rig.messages('S')).map(({ text }) => Number(text));
    expect(rows).toEqual(Array.from({ length: next }, (_, index) => index));
    expect(await rig.markers('S')).toHaveLength(9);
  });
});
