import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Source, SourceReader } from '@millrace/core/spi';
import {
  connect,
  createInbox,
  headers,
  type MsgHdrs,
  type NatsConnection,
  nuid,
} from '@nats-io/transport-node';
import {
  openSource,
  readOn,
  type SourceSnapshot,
  type TestContext,
  testContext,
} from '../reading/reader-driver.js';
import { realEnv } from './connection-driver.js';

/** A server of the test kit, which this file, being beside what ships, cannot import. */
export interface RigServer {
  readonly url: string;
  readonly storeFolder: string;
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  pause(): Promise<void>;
  resume(): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A server with a client beside the source's, for tests to write and to harm streams. */
export interface StreamRig {
  readonly server: RigServer;
  readonly nats: { readonly servers: string };
  /** Asks `$JS.API.<subject>` until it is answered; throws what it refuses. */
  api<T = unknown>(subject: string, body?: unknown): Promise<T>;
  /** `S` of the subjects `s.>`, unless told otherwise. */
  addStream(config?: Readonly<Record<string, unknown>>): Promise<void>;
  publish(
    subject: string,
    value: unknown,
    values?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** `s.n` with the numbers from `from` to `to - 1`. */
  publishNumbers(from: number, to: number, subject?: (n: number) => string): Promise<void>;
  /** Publishes at once and awaits nothing. */
  send(subject: string, value: unknown, values?: Readonly<Record<string, string>>): void;
  consumers(stream?: string): Promise<readonly string[]>;
  /** Asks a consumer of `S` for one message, as its reader does. */
  pull(consumer: string, expiresMs: number): Promise<void>;
  /** Keeps the server's store as it is now. */
  saveStore(): Promise<{ putBack(): Promise<void> }>;
  close(): Promise<void>;
  /** Also the server. */
  stop(): Promise<void>;
}

/**
 * A stream that stays. When an account's last stream is deleted, the server removes the folder of its
 * streams some time after it has answered, and a stream that is created meanwhile finds it gone.
 */
export const folderKeeper = { name: 'KEEPER', subjects: ['keeper'] };

/** @param urls of all servers of its cluster */
export async function startRig(server: RigServer, urls = [server.url]): Promise<StreamRig> {
  const connection = await connect({
    servers: urls,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
  });
  const rig: StreamRig = {
    server,
    nats: { servers: server.url },
    api: (subject, body) => api(connection, subject, body),
    async addStream(config = {}) {
      const create = async (stream: Readonly<Record<string, unknown>> & { name: string }) =>
        rig.api(`STREAM.CREATE.${stream.name}`, { storage: 'file', ...stream });
      await create(folderKeeper);
      await create({ name: 'S', subjects: ['s.>'], ...config });
    },
    async publish(subject, value, values = {}) {
      await rig.api('INFO');
      const options = { headers: headersOf(values), timeout: 5_000 };
      await connection.request(subject, dataOf(value), options);
    },
    send(subject, value, values = {}) {
      connection.publish(subject, dataOf(value), { headers: headersOf(values) });
    },
    async publishNumbers(from, to, subject = () => 's.n') {
      await rig.api('INFO');
      // Ahead of a leader they would be published again each by itself, and in any order.
      await publishOnce(connection, subject(from), String(from));
      const stored: Promise<unknown>[] = [];
      for (let n = from + 1; n < to; n += 1) {
        stored.push(publishOnce(connection, subject(n), String(n)));
      }
      await Promise.all(stored);
    },
    async consumers(stream = 'S') {
      const { consumers } = await rig.api<{ readonly consumers: readonly string[] | null }>(
        `CONSUMER.NAMES.${stream}`,
      );
      return consumers ?? [];
    },
    async pull(consumer, expiresMs) {
      const subject = `$JS.API.CONSUMER.MSG.NEXT.S.${consumer}`;
      const reply = createInbox();
      connection.subscribe(reply, { callback: () => undefined });
      connection.publish(subject, JSON.stringify({ batch: 1, expires: expiresMs * 1e6 }), {
        reply,
      });
      await connection.flush();
    },
    async saveStore() {
      const { storeFolder } = server;
      await server.kill('SIGTERM');
      const copy = mkdtempSync(join(tmpdir(), 'millrace-store-'));
      cpSync(storeFolder, copy, { recursive: true });
      await server.restart();
      return {
        async putBack() {
          await server.kill();
          rmSync(storeFolder, { recursive: true });
          cpSync(copy, storeFolder, { recursive: true });
          rmSync(copy, { recursive: true });
          await server.restart();
        },
      };
    },
    close: () => connection.close(),
    async stop() {
      await rig.close();
      await server.stop();
    },
  };
  return rig;
}

/** Tries until it is stored; the message's id keeps it from being stored twice. */
async function publishOnce(connection: NatsConnection, subject: string, data: string) {
  const options = { headers: headersOf({ 'Nats-Msg-Id': nuid.next() }), timeout: 1_000 };
  for (;;) {
    try {
      const answer = await connection.request(subject, data, options);
      if (answer.json<{ readonly seq?: number }>().seq !== undefined) return;
    } catch {
      // No leader, or no connection, now.
    }
    await wait(20);
  }
}

function headersOf(values: Readonly<Record<string, string>>): MsgHdrs {
  const made = headers();
  for (const [name, each] of Object.entries(values)) made.set(name, each);
  return made;
}

const dataOf = (value: unknown): Uint8Array | string =>
  value instanceof Uint8Array ? value : JSON.stringify(value);

async function api<T>(connection: NatsConnection, subject: string, body?: unknown): Promise<T> {
  const payload = body === undefined ? '' : JSON.stringify(body);
  for (;;) {
    const answer = await connection
      .request(`$JS.API.${subject}`, payload, { timeout: 500 })
      .catch(() => undefined);
    if (answer === undefined) {
      await wait(20);
      continue;
    }
    const value = answer.json<
      T & { readonly error?: { readonly code: number; readonly description: string } }
    >();
    if (value.error?.code === 503) continue;
    if (value.error !== undefined) throw new Error(`${subject}: ${value.error.description}`);
    return value;
  }
}

/** A reader of a source in real time. */
export interface OpenStream<T> {
  readonly reader: SourceReader<T>;
  readonly context: TestContext;
  readonly snapshot: () => SourceSnapshot;
  /** The next records' values. */
  next(count: number): Promise<readonly unknown[]>;
  counter(name: string): number;
}

/** Opens the source, gives it to `use` and closes it, whatever happens. */
export async function withSource<T, R>(
  source: Source<T>,
  use: (opened: OpenStream<T>) => Promise<R>,
  restored?: SourceSnapshot,
): Promise<R> {
  const context = testContext(realEnv());
  const { reader, snapshot } = await openSource(source, context, restored);
  try {
    return await use({
      reader,
      context,
      snapshot,
      async next(count) {
        const values: unknown[] = [];
        while (values.length < count) {
          const { arrived, hasEnded } = await readOn(reader, count - values.length, 1);
          values.push(...arrived.map(({ value }) => value));
          if (hasEnded) break;
        }
        return values;
      },
      counter: (name) => context.counters.get(name)?.value ?? 0,
    });
  } finally {
    await reader.close?.();
  }
}

export const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
