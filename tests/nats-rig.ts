import { setTimeout as wait } from 'node:timers/promises';
import { jetstreamManager, type PubAck } from '@nats-io/jetstream';
import {
  connect,
  headers,
  type MsgHdrs,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';

/** What the server answers to a message that is to be stored. */
export interface PublishAnswer extends Partial<PubAck> {
  readonly batch?: string;
  readonly count?: number;
  readonly error?: { readonly err_code: number; readonly description: string };
}

/** A client that comes back quickly. */
export const connectTo = (
  servers: string | string[],
  options: NodeConnectionOptions = {},
): Promise<NatsConnection> =>
  connect({
    servers,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    ...options,
  });

export function headersOf(values: Readonly<Record<string, string | number>>): MsgHdrs {
  const made = headers();
  for (const [name, value] of Object.entries(values)) made.set(name, String(value));
  return made;
}

/** A message that must be the next one of its subject: `sequence` is that of the last one. */
export const afterLast = (sequence: number): Readonly<Record<string, number>> => ({
  'Nats-Expected-Last-Subject-Sequence': sequence,
});

/** Publishes and waits for the server's answer; undefined: the answer was empty. */
export async function ask(
  connection: NatsConnection,
  subject: string,
  values: Readonly<Record<string, string | number>> = {},
  text = '',
  timeout = 2_000,
): Promise<PublishAnswer | undefined> {
  const answer = await connection.request(subject, text, { headers: headersOf(values), timeout });
  return answer.data.length === 0 ? undefined : answer.json<PublishAnswer>();
}

/** The headers of one message of an atomic batch. */
export const inBatch = (
  id: string,
  sequence: number,
  more: Readonly<Record<string, string | number>> = {},
): Readonly<Record<string, string | number>> => ({
  'Nats-Batch-Id': id,
  'Nats-Batch-Sequence': sequence,
  ...more,
});

/** The headers of its last one. */
export const lastOfBatch = (
  id: string,
  sequence: number,
  more: Readonly<Record<string, string | number>> = {},
): Readonly<Record<string, string | number>> =>
  inBatch(id, sequence, { 'Nats-Batch-Commit': 1, ...more });

/** Publishes rows without waiting, then the marker of a fence that commits them. */
export function publishBatch(
  connection: NatsConnection,
  batch: {
    readonly id: string;
    readonly rows: readonly string[];
    /** Sequence that the fence's subject must have. */
    readonly fence: number;
  },
  timeout?: number,
): Promise<PublishAnswer | undefined> {
  const { id, rows, fence } = batch;
  for (const [index, row] of rows.entries()) {
    connection.publish('out.rows', row, { headers: headersOf(inBatch(id, index + 1)) });
  }
  const values = lastOfBatch(id, rows.length + 1, afterLast(fence));
  return ask(connection, 'out.fence', values, 'marker', timeout);
}

/** A stream `OUT` for `out.>` on file. */
export async function addStream(
  connection: NatsConnection,
  options: { readonly atomic?: 'allowed' | 'not allowed'; readonly replicas?: number } = {},
): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: 'OUT',
    subjects: ['out.>'],
    num_replicas: options.replicas ?? 1,
    allow_atomic: options.atomic !== 'not allowed',
    allow_direct: true,
  });
}

/** How many messages each subject of `OUT` has; asks until the stream answers. */
export async function countsOf(
  connection: NatsConnection,
): Promise<Readonly<Record<string, number>>> {
  for (;;) {
    try {
      const manager = await jetstreamManager(connection);
      const { state } = await manager.streams.info('OUT', { subjects_filter: 'out.>' });
      return state.subjects ?? {};
    } catch {
      await wait(20);
    }
  }
}

/** Text and sequence of the last message of a subject. */
export async function lastOf(
  connection: NatsConnection,
  subject: string,
): Promise<{ readonly text: string; readonly sequence: number }> {
  const manager = await jetstreamManager(connection);
  const message = await manager.streams.getMessage('OUT', { last_by_subj: subject });
  return { text: message?.string() ?? '', sequence: message?.seq ?? 0 };
}

/** The messages of a subject that a stream has, oldest first. */
export async function storedMessages(
  connection: NatsConnection,
  stream: string,
  subject: string,
): Promise<string[]> {
  const found: string[] = [];
  for (let seq = 1; ; ) {
    const body = JSON.stringify({ next_by_subj: subject, seq });
    const answer = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, body);
    const { message } = answer.json<{ message?: { seq: number; data: string } }>();
    if (message === undefined) return found;
    found.push(Buffer.from(message.data, 'base64').toString());
    seq = message.seq + 1;
  }
}
