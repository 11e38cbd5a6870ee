import { natsSkipReason } from '@millrace/testing/nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readOn, valuesOf } from '../reading/reader-driver.js';
import { jetstreamSource } from './jetstream-source.js';
import { numbers, type StreamRig, startRig, withSource } from './stream-driver.js';

describe.skipIf(natsSkipReason() !== undefined)('a JetStream source', () => {
  let rig: StreamRig;
  beforeEach(async () => {
    rig = await startRig();
  });
  afterEach(() => rig?.stop());

  const bounded = (options: object = {}) =>
    jetstreamSource<number>({ nats: rig.nats, stream: 'S', bounded: true, ...options });
  const live = (options: object = {}) =>
    jetstreamSource<number>({ nats: rig.nats, stream: 'S', ...options });
  const readAll = (options: object = {}) =>
    withSource(bounded(options), async ({ reader }) => valuesOf((await readOn(reader)).arrived));

  test('a bounded one reads what is there when it first starts, and ends', async () => {
    await rig.addStream();
    await rig.publishNumbers(0, 1_000);
    await withSource(bounded(), async ({ reader, snapshot }) => {
      await rig.publishNumbers(1_000, 1_010);
      const { arrived } = await readOn(reader);
      expect(valuesOf(arrived)).toEqual(numbers(0, 1_000));
      expect(arrived[9]).toMatchObject({ split: 'S', position: 'sequence 10' });
      expect(snapshot().splits).toEqual([]);
    });
  });
});
