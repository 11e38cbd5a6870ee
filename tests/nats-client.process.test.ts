/**
 * How the NATS client and server really behave where the connectors rely on it. When a new version
 * of either fails here, look at packages/connectors/src/nats before anything else. What was measured
 * is in docs/decisions/0008-jetstream-client.md.
 */

import {
  type NatsServer,
  natsSkipReason,
  startNatsCluster,
  startNatsServer,
} from '@millrace/testing/nats';
import { jetstream } from '@nats-io/jetstream';
import { type NatsConnection, PermissionViolationError } from '@nats-io/nats-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addStream,
  afterLast,
  ask,
  connectTo,
  countsOf,
  headersOf,
  inBatch,
  lastOf,
  lastOfBatch,
  publishBatch,
} from './nats-rig.js';

const skipped = natsSkipReason() !== undefined;

async function statusOf(connection: NatsConnection, type: string) {
  for await (const status of connection.status()) if (status.type === type) return status;
  return undefined;
}

describe.skipIf(skipped)('the client', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  beforeEach(async () => {
    server = await startNatsServer();
    connection = await connectTo(server.url);
  });
  afterEach(async () => {
    await connection.close();
    await server.stop();
  });

  test('drops what is published while it is disconnected, without a word', async () => {
    await addStream(connection);
    await ask(connection, 'out.rows');
    const disconnected = statusOf(connection, 'disconnect');
    await server.kill();
    await disconnected;
    connection.publish('out.rows', 'lost');
    const back = statusOf(connection, 'reconnect');
    await server.restart();
    await back;
    await connection.flush();
    expect(await countsOf(connection)).toEqual({ 'out.rows': 1 });
  });

  test('gives up after ten attempts unless told otherwise', async () => {
    const byDefault = await connectTo(server.url, { maxReconnectAttempts: 10 });
    let attempts = 0;
    const closed = (async () => {
      for await (const { type } of byDefault.status()) if (type === 'reconnecting') attempts += 1;
    })();
    await server.kill();
    await closed;
    expect(attempts).toBe(10);
    expect(byDefault.isClosed()).toBe(true);
  });

  test('a compare-and-set that timed out may happen all the same; asking again tells', async () => {
    await addStream(connection);
    await server.pause();
    await expect(ask(connection, 'out.fence', afterLast(0), 'mine', 200)).rejects.toThrow(
      'timeout',
    );
    server.resume();
    const again = await ask(connection, 'out.fence', afterLast(0), 'mine');
    expect(again?.error).toMatchObject({
      err_code: 10071,
      description: 'wrong last sequence: 1',
    });
    expect(await lastOf(connection, 'out.fence')).toEqual({ text: 'mine', sequence: 1 });
  });

  test('its batches leave out the conditions of add and commit, and hide why one failed', async () => {
    await addStream(connection);
    const wrong = { expect: { lastSubjectSequence: 99 } };
    const batch = await jetstream(connection).startBatch('out.rows', '1');
    await batch.add('out.rows', '2', { ack: true, ...wrong });
    // Typed without `expect`; what is given beside is dropped too.
    const ack = await batch.commit('out.fence', '3', wrong as object);
    expect(ack.count).toBe(3);

    const refused = await jetstream(connection).startBatch('out.rows', '4');
    const headers = headersOf(afterLast(99));
    await expect(refused.commit('out.fence', '5', { headers })).rejects.toThrow(
      "batch didn't contain number of published messages",
    );
  });
});

test.skipIf(skipped)('a permission violation does not throw; it arrives as a status', async () => {
  const server = await startNatsServer({
    config: 'authorization { users = [{ user: u, password: p, permissions: { publish: "ok" } }] }',
  });
  const connection = await connectTo(server.url, { user: 'u', pass: 'p' });
  try {
    const error = statusOf(connection, 'error');
    connection.publish('not.ok', 'x');
    await connection.flush();
    expect(await error).toMatchObject({ error: expect.any(PermissionViolationError) });
    expect(connection.isClosed()).toBe(false);
  } finally {
    await connection.close();
    await server.stop();
  }
});

describe.skipIf(skipped)('atomic batches', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  beforeEach(async () => {
    server = await startNatsServer();
    connection = await connectTo(server.url);
  });
  afterEach(async () => {
    await connection.close();
    await server.stop();
  });
  const code = 'error.err_code';

  test('an empty answer to each message but the last, whose answer counts them', async () => {
    await addStream(connection);
    expect(await ask(connection, 'out.rows', inBatch('b', 1), '1')).toBeUndefined();
    expect(await countsOf(connection)).toEqual({});
    expect(await ask(connection, 'out.fence', lastOfBatch('b', 2), '2')).toEqual({
      stream: 'OUT',
      seq: 2,
      batch: 'b',
      count: 2,
    });
    expect(await countsOf(connection)).toEqual({ 'out.rows': 1, 'out.fence': 1 });
  });

  test('the last message may be bound to the last sequence of its subject: a fence', async () => {
    await addStream(connection);
    const rows = ['1', '2'];
    const first = await publishBatch(connection, { id: 'a', rows, fence: 0 });
    expect(first).toMatchObject({ seq: 3, count: 3 });
    // A former owner, or the same batch once more after an answer that was lost: nothing is stored.
    const stale = await publishBatch(connection, { id: 'a', rows, fence: 0 });
    expect(stale).toHaveProperty(code, 10071);
    expect(stale).toHaveProperty('error.description', 'wrong last sequence: 3');
    const next = await publishBatch(connection, { id: 'b', rows, fence: 3 });
    expect(next).toMatchObject({ seq: 6, count: 3 });
    expect(await countsOf(connection)).toEqual({ 'out.rows': 4, 'out.fence': 2 });
  });

  test('a condition on a subject that the batch has written to is refused as busy', async () => {
    await addStream(connection);
    connection.publish('out.fence', '1', { headers: headersOf(inBatch('b', 1)) });
    const answer = await ask(connection, 'out.fence', lastOfBatch('b', 2, afterLast(0)));
    expect(answer).toHaveProperty(code, 10164);
    expect(await countsOf(connection)).toEqual({});
  });

  test('a batch ends with its server: what follows is refused and nothing is stored', async () => {
    await addStream(connection);
    await ask(connection, 'out.rows', inBatch('b', 1), '1');
    const back = statusOf(connection, 'reconnect');
    await server.restart();
    await back;
    await countsOf(connection);
    connection.publish('out.rows', '2', { headers: headersOf(inBatch('b', 2)) });
    const answer = await ask(connection, 'out.fence', lastOfBatch('b', 3, afterLast(0)));
    expect(answer).toHaveProperty(code, 10176);
    expect(await countsOf(connection)).toEqual({});
  });

  test('a server killed at the commit has all of the batch or nothing; the fence tells', async () => {
    await addStream(connection);
    const rows = Array.from({ length: 200 }, (_, index) => String(index));
    let fence = 0;
    let batches = 0;
    for (let round = 1; round <= 5; round += 1) {
      const id = `round-${round}`;
      const back = statusOf(connection, 'reconnect');
      const committing = publishBatch(connection, { id, rows, fence }, 300).catch(() => undefined);
      await connection.flush();
      await server.restart();
      await back;
      await committing;
      await countsOf(connection);
      // The same again, as a new batch: accepted, or refused because it had been stored.
      const again = await publishBatch(connection, { id: `${id}-again`, rows, fence });
      if (again?.error !== undefined) expect(again).toHaveProperty(code, 10071);
      batches += 1;
      fence = (await lastOf(connection, 'out.fence')).sequence;
      expect(await countsOf(connection)).toEqual({
        'out.rows': batches * rows.length,
        'out.fence': batches,
      });
    }
  });

  test('at most 1,000 messages', async () => {
    await addStream(connection);
    const rows = Array.from({ length: 1_000 }, () => 'x');
    expect(await publishBatch(connection, { id: 'b', rows, fence: 0 })).toHaveProperty(code, 10199);
    const fits = await publishBatch(connection, { id: 'c', rows: rows.slice(1), fence: 0 });
    expect(fits).toMatchObject({ count: 1_000 });
  });

  test('a stream must allow them', async () => {
    await addStream(connection, { atomic: 'not allowed' });
    const answer = await publishBatch(connection, { id: 'b', rows: ['1'], fence: 0 });
    expect(answer).toHaveProperty(code, 10174);
    expect(await countsOf(connection)).toEqual({});
  });
});

test.skipIf(skipped)(
  'three servers: of several at once one wins; the others may be told “busy”',
  async () => {
    const cluster = await startNatsCluster(3);
    const connection = await connectTo([...cluster.urls]);
    try {
      await addStream(connection, { replicas: 3 });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => ask(connection, 'out.fence', afterLast(0), 'mine')),
      );
      const codes = answers.map((answer) => answer?.error?.err_code);
      expect(codes.filter((each) => each === undefined)).toHaveLength(1);
      for (const each of codes) expect([undefined, 10071, 10164]).toContain(each);
    } finally {
      await connection.close();
      await cluster.stop();
    }
  },
);
