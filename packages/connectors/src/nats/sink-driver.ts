import type {
  OutputStaging,
  Sink,
  SinkContext,
  SinkLineage,
  SinkRestore,
  SinkWriter,
} from '@millrace/core/spi';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { SeededRandom } from '../generator/seeded-random.js';
import { testContext } from '../reading/reader-driver.js';
import { realEnv } from './connection-driver.js';
import { fenceHeader } from './fence-marker.js';
import { folderKeeper, type RigServer } from './stream-driver.js';

/** A server with a client beside the sinks, for tests to look at streams. */
export interface SinkRig {
  readonly server: RigServer;
  readonly nats: { readonly servers: string };
  readonly connection: NatsConnection;
  /** Asks `$JS.API.<subject>` until it is answered. */
  api<T>(subject: string, body?: unknown): Promise<T>;
  /** Makes a stream; by default on file, with atomic batches. */
  addStream(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** All messages of a stream but for markers, oldest first. */
  messages(stream: string): Promise<readonly StoredText[]>;
  /** The markers that a stream still has. */
  markers(stream: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  stop(): Promise<void>;
}

interface StoredText {
  readonly subject: string;
  readonly text: string;
  readonly headers: string;
}

export async function startSinkRig(
  server: RigServer,
  user: NodeConnectionOptions = {},
): Promise<SinkRig> {
  const connection = await connect({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    ...user,
  });
  const stored = (stream: string) => storedIn(connection, stream);
  return {
    server,
    nats: { servers: server.url },
    connection,
    api: (subject, body) => api(connection, subject, body),
    async addStream(config) {
      const create = async (stream: Readonly<Record<string, unknown>>) => {
        const { name } = stream as { readonly name: string };
        const { error } = await api<{ readonly error?: { readonly description: string } }>(
          connection,
          `STREAM.CREATE.${name}`,
          { storage: 'file', ...stream },
        );
        if (error !== undefined) throw new Error(error.description);
      };
      await create(folderKeeper);
      await create({ allow_atomic: true, ...config });
    },
    messages: async (stream) => (await stored(stream)).filter((each) => !isMarker(each)),
    markers: async (stream) =>
      (await stored(stream)).filter(isMarker).map(({ text }) => JSON.parse(text)),
    async stop() {
      await connection.close();
      await server.stop();
    },
  };
}

/** An environment like a process has it, with connections of its own. */
export function processEnv(seed: number): ReturnType<typeof realEnv> {
  const random = new SeededRandom(seed);
  random.startAt(0);
  return { ...realEnv(), random };
}

/** What outlives the processes of a job that a test plays. */
export class PlayedJob {
  private readonly blobs = new Map<string, Uint8Array>();
  private processes = 0;
  readonly lineage: SinkLineage;

  constructor(lineage: SinkLineage = { id: 'one', parent: undefined }) {
    this.lineage = lineage;
  }

  /** A deliberate restore of this job from a checkpoint: it has its blobs, and a child lineage. */
  fork(id: string, checkpoint: number): PlayedJob {
    const forked = new PlayedJob({ id, parent: { lineage: this.lineage.id, checkpoint } });
    for (const [name, bytes] of this.blobs) forked.blobs.set(name, bytes);
    return forked;
  }

  /** A writer as a new process has it. */
  process(sink: Sink<never>, more: Partial<SinkContext> = {}): SinkWriter & { log: string[] } {
    this.processes += 1;
    const log: string[] = [];
    const env = {
      ...processEnv(Math.floor(Math.random() * 2 ** 40)),
      log: {
        log: (_: string, message: string, fields: object = {}) => {
          log.push(`${message} ${JSON.stringify(fields)}`);
        },
      },
    };
    const writer = sink.createWriter({
      ...testContext(env),
      operatorId: 'out',
      job: 'played',
      checkpoints: 'on',
      lineage: this.lineage,
      staging: this.staging,
      ...more,
    });
    return Object.assign(writer, { log });
  }

  private readonly staging: OutputStaging = {
    create: async () => {
      const parts: Uint8Array[] = [];
      return {
        write: async (bytes) => {
          parts.push(bytes.slice());
        },
        complete: async () => {
          const bytes = Buffer.concat(parts);
          const blob = `outputs/${this.lineage.id}-${this.blobs.size}`;
          this.blobs.set(blob, bytes);
          return { blob, bytes: bytes.length, sha256: '' };
        },
        abort: async () => undefined,
      };
    },
    read: async ({ blob }, fromByte, length) =>
      this.blobs.get(blob)!.slice(fromByte, fromByte + length),
  };
}

/** What a writer prepared, as a successor is restored from it. */
export async function restoreFrom(
  writers: SinkWriter | readonly SinkWriter[],
  checkpoint: number,
): Promise<SinkRestore> {
  const prepared: unknown[] = [];
  for (const writer of [writers].flat()) {
    prepared.push(JSON.parse(JSON.stringify(await (writer as SinkWriter).prepare!(checkpoint))));
  }
  return { checkpoint, prepared };
}

const isMarker = ({ headers }: StoredText): boolean => headers.includes(`${fenceHeader}: 1`);

async function storedIn(connection: NatsConnection, stream: string): Promise<StoredText[]> {
  const { state } = await api<{
    readonly state: { readonly first_seq: number; readonly last_seq: number };
  }>(connection, `STREAM.INFO.${stream}`);
  const found = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const { message } = await api<{ readonly message?: RawMessage }>(
      connection,
      `STREAM.MSG.GET.${stream}`,
      { seq },
    );
    if (message === undefined) continue;
    const { subject, data, hdrs } = message;
    found.push({ subject, text: textOf(data), headers: textOf(hdrs) });
  }
  return found;
}

interface RawMessage {
  readonly subject: string;
  readonly data?: string;
  readonly hdrs?: string;
}

const textOf = (base64 = ''): string => Buffer.from(base64, 'base64').toString();

async function api<T>(connection: NatsConnection, subject: string, body?: unknown): Promise<T> {
  const payload = body === undefined ? '' : JSON.stringify(body);
  for (;;) {
    try {
      const answer = await connection.request(`$JS.API.${subject}`, payload, { timeout: 500 });
      const value = answer.json<T & { readonly error?: { readonly code: number } }>();
      if (value.error?.code !== 503) return value;
    } catch {
      // It is down now, and will be back.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
