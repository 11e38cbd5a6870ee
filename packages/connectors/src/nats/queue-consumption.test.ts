import { describe, expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { jetstreamSource } from './jetstream-source.js';
import type { NatsLink } from './nats-link.js';
import { QueueConsumption } from './queue-consumption.js';

interface Listed {
  readonly name: string;
  readonly config: { readonly filter_subject?: string };
}

/** A stream that knows consumers' names; those it is asked to delete are in `deleted`. */
function rig(listed: readonly Listed[]) {
  const deleted: string[] = [];
  const answerTo = (subject: string): unknown => {
    if (subject === '$JS.API.CONSUMER.LIST.S') return { consumers: listed, total: listed.length };
    deleted.push(subject.replace('$JS.API.CONSUMER.DELETE.S.', ''));
    return { success: true };
  };
  const connection = {
    request: async (subject: string) => ({ json: () => answerTo(subject) }),
  };
  const link = { connection, isOpen: () => true } as unknown as NatsLink;
  const consumption = (durable: string, filters: readonly string[] = []) =>
    new QueueConsumption({
      ...{ link, durable, filters, context: testContext(), stream: 'S', committed: 0 },
      retention: 'workqueue',
      checkpoints: 'none yet',
    });
  return { consumption, deleted };
}

const chance = '0123456789ABCDEFGHIJKL';
const named = (name: string, filter_subject?: string): Listed => ({
  name,
  config: filter_subject === undefined ? {} : { filter_subject },
});

describe('consumers that a job leaves behind', () => {
  test('are removed by its next one, and no others are', async () => {
    const { consumption, deleted } = rig([
      named(`orders-${chance}`),
      named(`orders-eu-${chance}`),
      named('orders-backup'),
      named('orders-0123456789abcdefghijkl'),
      named(`orders-${chance}M`),
      named('orders-1123456789ABCDEFGHIJKL', 's.1'),
    ]);
    const { name } = await consumption('orders').nextConsumer({ sequence: 0, timeNs: undefined });
    expect(deleted).toEqual([`orders-${chance}`]);
    expect(name).toMatch(/^orders-[0-9A-Z]{22}$/);
  });

  test('are those of names as they are made', async () => {
    const made = await rig([])
      .consumption('orders-eu', ['s.1'])
      .nextConsumer({ sequence: 0, timeNs: undefined });
    const { consumption, deleted } = rig([named(made.name, 's.1')]);
    await consumption('orders-eu', ['s.1']).nextConsumer({ sequence: 0, timeNs: undefined });
    expect(deleted).toEqual([made.name]);
  });

  test.each(['orders:eu', 'orders eu', 'orders.eu', 'é', ''])(
    'could not be told from others of "%s"',
    (durable) => {
      expect(() => jetstreamSource({ stream: 'S', durable })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION', field: 'durable' }),
      );
    },
  );
});
