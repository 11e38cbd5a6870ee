/** Jobs that write to JetStream exactly once, killed and started again, with their server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NatsServer, natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectTo, storedMessages } from './nats-rig.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const total = 12_000;

/** Sums of numbers by key, one message for each number, and at its end `finished`. */
const program = `import { generator, jetstreamSink, kvSink } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';
import { run } from '@millrace/runtime';

const [folder, servers, total] = process.argv.slice(2);
const nats = { servers };
const job = defineJob('sums', {}, (job) => {
  const sums = job.source(
    'numbers',
    generator({ seed: 1, count: Number(total), ratePerSecond: 4_000, create: (n) => ({ n, at: n }) }),
    watermarks((r) => r.at, { farFuture: 'off' }),
  ).pipe(
    keyBy((r) => r.n % 7),
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
  sums.pipe(sinkTo('last', kvSink({
    nats, bucket: 'last', key: (r) => String(r.key), createBucket: { history: 64 },
  })));
});
const handle = run(job, { checkpoints: { folder, interval: '100ms' } });
handle.done.then(
  () => { console.log('finished'); process.exit(0); },
  (error) => { console.log(error.message); process.exit(1); },
);
`;

interface OutRow {
  readonly key: number;
  readonly n: number;
  readonly sum: number;
}

function expectedRows(): OutRow[] {
  const sums = new Map<number, number>();
  return Array.from({ length: total }, (_, n) => {
    const key = n % 7;
    const sum = (sums.get(key) ?? 0) + n;
    sums.set(key, sum);
    return { key, n, sum };
  });
}

describe.skipIf(natsSkipReason() !== undefined)('a job that writes to JetStream', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    server = await startNatsServer();
    connection = await connectTo(server.url);
    folder = mkdtempSync(join(root, 'tests', 'tmp-jetstream-job-'));
    writeFileSync(join(folder, 'job.mjs'), program);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await connection.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Resolves with what it says at its end; undefined when it was killed. */
  function start(): { readonly child: ChildProcess; readonly end: Promise<string | undefined> } {
    const args = [join(folder, 'job.mjs'), join(folder, 'checkpoints'), server.url, String(total)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(child);
    let said = '';
    child.stdout.on('data', (bytes) => {
      said += String(bytes);
    });
    const end = new Promise<string | undefined>((resolve) => {
      child.once('close', (_, signal) => resolve(signal === null ? said.trim() : undefined));
    });
    return { child, end };
  }

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test('killed again and again, as is its server: every row once and in order', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { child, end } = start();
      await sleep(400 + ((round * 277) % 500));
      if (round % 2 === 1) {
        await server.restart();
        await sleep(200);
      }
      child.kill('SIGKILL');
      expect(await end).toBeUndefined();
    }
    expect(await start().end).toBe('finished');

    const expected = expectedRows();
    const rows = (await storedMessages(connection, 'OUT', 'out')).map(
      (text) => JSON.parse(text) as OutRow,
    );
    expect(rows).toEqual(expected);
    // The bucket keeps the last 64 values of each of seven keys.
    const values = await storedMessages(connection, 'KV_last', '$KV.last.*');
    expect(values.map((text) => JSON.parse(text) as OutRow)).toEqual(expected.slice(-7 * 64));
  });
});
