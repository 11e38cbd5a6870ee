import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { lineOf, type Row } from './payments.js';
import { names } from './spend-job.js';

/** A row as the stream has it. */
interface StoredRow {
  readonly line: string;
  /** Number of the process that computed it. */
  readonly life: number;
}

/** What was stored together: rows, and the marker behind them. */
export interface StoredBatch {
  readonly rows: readonly StoredRow[];
  readonly marker: StoredMarker;
}

export interface StoredMarker {
  readonly checkpoint: number;
  readonly chunk: number;
  readonly of: number;
  readonly lineage: string;
}

/** All that the output stream has, in its order. */
export interface OutputStream {
  readonly batches: readonly StoredBatch[];
  /** Rows behind the last marker: there should be none. */
  readonly rest: readonly StoredRow[];
}

/** Reads the output stream from its first message to its last. */
export async function readOutput(connection: NatsConnection): Promise<OutputStream> {
  const client = jetstream(connection);
  const batches: StoredBatch[] = [];
  let rows: StoredRow[] = [];
  const { state } = await (await client.jetstreamManager()).streams.info(names.output);
  if (state.messages === 0) return { batches, rest: rows };
  const consumer = await client.consumers.get(names.output);
  const messages = await consumer.consume({ max_messages: 2_000 });
  for await (const message of messages) {
    if (message.headers?.has(names.marker) === true) {
      batches.push({ rows, marker: message.json<StoredMarker>() });
      rows = [];
    } else {
      const life = Number(message.headers?.get(names.life));
      rows.push({ line: lineOf(message.json<Row>()), life });
    }
    if (message.seq === state.last_seq) break;
  }
  return { batches, rest: rows };
}
