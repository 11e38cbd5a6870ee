import { natsSkipReason, startNatsCluster } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jetstreamSource } from './jetstream-source.js';
import { numbers, type StreamRig, startRig, withSource } from './stream-driver.js';

type Cluster = Awaited<ReturnType<typeof startNatsCluster>>;

describe.skipIf(natsSkipReason() !== undefined)('a JetStream source of three servers', () => {
  let cluster: Cluster;
  let rig: StreamRig;
  beforeEach(async () => {
    cluster = await startNatsCluster(3);
    rig = await startRig(cluster.servers[0]!, [...cluster.urls]);
  });
  afterEach(async () => {
    await rig?.close();
    await cluster?.stop();
  });

  /** Where the only consumer of the stream is. */
  async function consumerHome(): Promise<string | undefined> {
    const [name] = await rig.consumers();
    if (name === undefined) return undefined;
    const info = await rig
      .api<{ cluster?: { leader?: string } }>(`CONSUMER.INFO.S.${name}`)
      .catch(() => undefined);
    return info?.cluster?.leader;
  }

  test('goes on when the server dies that has its consumer, and when it is back', async () => {
    await rig.addStream({ num_replicas: 3 });
    const source = jetstreamSource<number>({ nats: { servers: cluster.urls }, stream: 'S' });
    await withSource(source, async ({ next }) => {
      for (let round = 0; round < 3; round += 1) {
        const first = round * 200;
        await rig.publishNumbers(first, first + 100);
        expect(await next(100)).toEqual(numbers(first, first + 100));
        let home: string | undefined;
        while (home === undefined) home = await consumerHome();
        const server = cluster.servers.find(({ name }) => name === home)!;
        await server.kill();
        await rig.publishNumbers(first + 100, first + 200);
        // What was published while there was no leader was published again, in any order.
        const values = [...(await next(100))].sort((a, b) => Number(a) - Number(b));
        expect(values).toEqual(numbers(first + 100, first + 200));
        await server.restart();
      }
    });
  });

  test('knows the stream when another server answers for it', async () => {
    await rig.addStream({ num_replicas: 3 });
    await rig.publishNumbers(0, 10);
    const source = jetstreamSource<number>({ nats: { servers: cluster.urls }, stream: 'S' });
    let restored = await withSource(source, async ({ next, snapshot }) => {
      await next(1);
      return snapshot();
    });
    for (let at = 1; at < 4; at += 1) {
      await rig.api('STREAM.LEADER.STEPDOWN.S');
      restored = await withSource(
        source,
        async ({ next, snapshot }) => {
          expect(await next(1)).toEqual([at]);
          return snapshot();
        },
        restored,
      );
    }
  });
});
