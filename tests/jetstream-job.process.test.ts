import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectSink, jetstreamSource, ndjsonSink } from '@millrace/connectors';
import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import {
  aggregate,
  count,
  keyBy,
  map,
  sinkTo,
  sum,
  tumbling,
  union,
  window,
} from '@millrace/operators';
import { run } from '@millrace/runtime';
import { type NatsServer, natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addStream, connectTo, countsOf } from './nats-rig.js';

interface Payment {
  readonly id: number;
  readonly card: number;
  readonly amount: number;
}

const total = 6_000;
const startMs = Date.UTC(2024, 0, 1);
const paymentOf = (id: number): Payment => ({ id, card: id % 7, amount: (id * 37) % 1_000 });

describe.skipIf(natsSkipReason() !== undefined)('a job that reads JetStream', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-jetstream-'));
    server = await startNatsServer();
    connection = await connectTo(server.url);
    await addStream(connection);
  });
  afterEach(async () => {
    await connection.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function publish(from: number, to: number): Promise<void> {
    await countsOf(connection);
    const stored: Promise<unknown>[] = [];
    for (let id = from; id < to; id += 1) {
      stored.push(
        connection.request('out.rows', JSON.stringify(paymentOf(id)), { timeout: 5_000 }),
      );
    }
    await Promise.all(stored);
  }

  /** Windows over payments 10 ms apart, in a file. */
  function spendJob(name: string, onPayment: (payment: Payment) => void): JobDefinition {
    const nats = { servers: server.url };
    const source = jetstreamSource<Payment>({ nats, stream: 'OUT', bounded: true });
    const times = watermarks((p: Payment) => startMs + p.id * 10, { farFuture: 'off' });
    return defineJob('spend', {}, (job) => {
      job.source('payments', source, times).pipe(
        map(
          (payment) => {
            onPayment(payment);
            return payment;
          },
          { id: 'look' },
        ),
        keyBy((p) => p.card),
        window('seconds', tumbling('1s')),
        aggregate({ n: count(), spent: sum((p) => p.amount) }),
        sinkTo('out', ndjsonSink({ path: join(folder, name) })),
      );
    });
  }

  /** Sorted: keys of a window come in any order. */
  const linesOf = (name: string) =>
    readFileSync(join(folder, name), 'utf8').trim().split('\n').sort();

  test('gives the same output when attempts fail and the server is killed', async () => {
    await publish(0, total);
    await run(spendJob('once.ndjson', () => undefined)).done;
    const expected = linesOf('once.ndjson');
    expect(expected.length).toBeGreaterThan(400);

    let seen = 0;
    let failedAfter = 0;
    let hasFailed = false;
    const wentOnAt: number[] = [];
    const restarts: Promise<void>[] = [];
    const failing = spendJob('twice.ndjson', ({ id }) => {
      if (hasFailed) wentOnAt.push(id);
      hasFailed = false;
      seen += 1;
      // Slow enough for checkpoints between the failures.
      const untilMs = performance.now() + 0.1;
      while (performance.now() < untilMs);
      if (seen === 1_000 || seen === 5_000) restarts.push(server.restart());
      const { committed = 0 } = handle.progress().checkpoints ?? {};
      hasFailed = wentOnAt.length < 3 && committed >= failedAfter + 2;
      if (!hasFailed) return;
      failedAfter = committed;
      throw new Error('planted');
    });
    const checkpoints = { folder: join(folder, 'state'), interval: 20 } as const;
    const restart = { kind: 'fixed', attempts: 10, delay: 50 } as const;
    const handle = run(failing, { checkpoints, restart });
    await handle.done;
    await Promise.all(restarts);
    expect([restarts.length, wentOnAt.length]).toEqual([2, 3]);
    expect(Math.min(...wentOnAt)).toBeGreaterThan(0);
    expect(linesOf('twice.ndjson')).toEqual(expected);
  });

  test('a stream that falls silent holds nothing up, and event time may be the server’s', async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'SILENT', subjects: ['silent'] });
    const nats = { servers: server.url };
    const sink = collectSink<{ readonly n: number }>();
    const job = defineJob('idle', {}, (j) => {
      const times = () => watermarks<Payment>(undefined, { idleAfter: '100ms', step: 1 });
      const busy = j.source('busy', jetstreamSource<Payment>({ nats, stream: 'OUT' }), times());
      const silent = j.source(
        'silent',
        jetstreamSource<Payment>({ nats, stream: 'SILENT' }),
        times(),
      );
      busy.pipe(
        union(silent),
        keyBy(() => 'all'),
        window('short', tumbling('50ms')),
        aggregate({ n: count() }),
        sinkTo('out', sink),
      );
    });
    const handle = run(job);
    try {
      for (let id = 0; sink.records.length === 0; id += 10) await publish(id, id + 10);
    } finally {
      await handle.cancel();
    }
    expect(sink.records[0]!.n).toBeGreaterThan(0);
  });
});
