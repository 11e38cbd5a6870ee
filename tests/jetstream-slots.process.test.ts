/** Jobs in several slots that read from JetStream and write to it and to a bucket exactly once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NatsServer, natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectTo, storedMessages } from './nats-rig.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const total = 12_000;
const keys = 7;
const subjects = [0, 1, 2, 3].map((n) => `in.${n}`);

/** Sums of numbers by key; the input is over after `total` messages. */
const program = `import { jetstreamSink, jetstreamSource, kvSink, pacedSource } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';

const nats = { servers: process.env.SERVERS };
const input = jetstreamSource({ nats, stream: 'IN', subjects: ${JSON.stringify(subjects)}, bounded: true });
export default defineJob('sums', {}, (job) => {
  const sums = job.source('numbers', pacedSource(input, 3_000), watermarks((r) => r.n, { farFuture: 'off' })).pipe(
    keyBy((r) => r.n % ${keys}),
    keyedProcess('sum', {
      output: type(),
      state: { sum: valueState() },
      process(r, ctx) {
        const sum = (ctx.state.sum.get() ?? 0) + r.n;
        ctx.state.sum.set(sum);
        ctx.emit({ key: ctx.key, n: r.n, sum });
      },
    }),
  );
  sums.pipe(sinkTo('out', jetstreamSink({ nats, stream: 'OUT', subject: 'out', createStream: {} })));
  sums.pipe(keyBy((r) => r.key), sinkTo('last', kvSink({
    nats, bucket: 'last', key: (r) => String(r.key), createBucket: { history: 64 },
  })));
});
`;

describe.skipIf(natsSkipReason() !== undefined)('a job in several slots', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    server = await startNatsServer();
    connection = await connectTo(server.url);
    folder = mkdtempSync(join(root, 'tests', 'tmp-jetstream-slots-'));
    writeFileSync(join(folder, 'job.mjs'), program);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'IN', subjects: ['in.>'] });
    for (let n = 0; n < total; n += 1) {
      connection.publish(`in.${Math.floor(n / keys) % subjects.length}`, JSON.stringify({ n }));
    }
    await connection.flush();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await connection.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(slots: number) {
    const cli = join(root, 'packages/runtime/dist/cli/main.js');
    const args = ['run', join(folder, 'job.mjs'), '--slots', String(slots), '--interval', '100ms'];
    const child = spawn(
      process.execPath,
      [cli, ...args, '--quiet', '--checkpoints', join(folder, 'checkpoints')],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, SERVERS: server.url } },
    );
    children.push(child);
    let complaints = '';
    child.stderr.on('data', (bytes) => {
      complaints += String(bytes);
    });
    const end = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, end, complaints: () => complaints };
  }

  /** Waits until more has been written than before; the test's own time is the bound. */
  async function untilMore(before: number): Promise<number> {
    for (;;) {
      const found = await storedMessages(connection, 'OUT', 'out').catch(() => []);
      if (found.length > before) return found.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('killed again and again, in another number of slots each time: every row once', async () => {
    let written = 0;
    for (const slots of [2, 3, 1, 2, 3]) {
      const { child, end } = start(slots);
      written = await Promise.race([untilMore(written), end.then(() => written)]);
      child.kill('SIGKILL');
      await end;
    }
    const last = start(2);
    expect([await last.end, last.complaints()]).toEqual([0, '']);
    const rows = (await storedMessages(connection, 'OUT', 'out')).map(
      (text) => JSON.parse(text) as { n: number },
    );
    expect(rows.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: total }, (_, n) => n),
    );
    for (let key = 0; key < keys; key += 1) {
      const [latest] = (await storedMessages(connection, 'KV_last', `$KV.last.${key}`)).slice(-1);
      const sums = rows.flatMap((row) =>
        row.n % keys === key ? [row as unknown as { sum: number }] : [],
      );
      expect(JSON.parse(latest!).sum).toBe(Math.max(...sums.map(({ sum }) => sum)));
    }
  });
});
