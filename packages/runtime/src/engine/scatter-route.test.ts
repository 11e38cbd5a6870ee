import { idleElement, watermarkOf } from '@millrace/core/spi';
import { expect, test } from 'vitest';
import { plainShape } from '../plan/batch-shape.js';
import { BatchPool } from './batch-pool.js';
import { Channel, isBatch } from './channel.js';
import { assignByFunction, ScatterRoute } from './scatter-route.js';

/** A route to two subtasks that has a record for the first one, not handed on yet. */
function routeWithRecord() {
  const channels = [0, 1].map((to) => {
    const id = { edge: 'a→b', role: 'whole', input: 0, from: 0, fromOf: 1, to, toOf: 2 } as const;
    return new Channel(id, plainShape);
  });
  const route = new ScatterRoute(
    channels,
    plainShape,
    assignByFunction(2, () => 0, 'b'),
  );
  const batch = new BatchPool(plainShape).take();
  batch.emit('a', 1);
  batch.holders = 1;
  route.send(batch);
  const waiting = (): readonly string[][] =>
    channels.map((channel) =>
      channel.waiting().map((element) => {
        if (element instanceof Uint8Array || isBatch(element)) return 'batch';
        return element.kind === 'watermark' ? `watermark ${element.time}` : element.kind;
      }),
    );
  return { route, waiting };
}

test('watermarks wait behind records that wait for more; of them the last one counts', () => {
  const { route, waiting } = routeWithRecord();
  route.sendControl(watermarkOf(1));
  route.sendControl(watermarkOf(2));
  expect(waiting()).toEqual([[], ['watermark 2']]);
  route.flush();
  expect(waiting()).toEqual([['batch', 'watermark 2'], ['watermark 2']]);
});

test('whoever becomes idle has said its last watermark to all', () => {
  const { route, waiting } = routeWithRecord();
  route.sendControl(watermarkOf(2));
  route.sendControl(idleElement);
  route.flush();
  expect(waiting()).toEqual([
    ['batch', 'watermark 2', 'idle'],
    ['watermark 2', 'idle'],
  ]);
});
