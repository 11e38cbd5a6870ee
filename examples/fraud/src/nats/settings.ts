import { join } from 'node:path';
import type { JetstreamSourceOptions, NatsSettings } from '@millrace/connectors';
import { transactionSchema } from '../input.js';
import type { Transaction } from '../transaction.js';

/** Streams and what is published to them. Fences of the sinks are beside the records. */
export const TRANSACTIONS = { stream: 'TRANSACTIONS', subject: 'transactions' } as const;
export const ALERTS = { stream: 'ALERTS', subject: 'alerts' } as const;

/** What all parts of the demonstration share. */
export interface LiveSettings {
  readonly folder: string;
  readonly port: number;
  /** Transactions a second. */
  readonly rate: number;
  readonly seed: number;
}

/** Cards and terminals that pay; a week of them is 68,000 transactions. */
export const WORLD = { cards: 5_000, terminals: 10_000, days: 36_500 } as const;

export const natsOf = ({ port }: LiveSettings): NatsSettings => ({
  servers: `127.0.0.1:${port}`,
});

/** The records alone, without the fence that the load's sink has in the same stream. */
export const transactionsFrom = (settings: LiveSettings): JetstreamSourceOptions<Transaction> => ({
  nats: natsOf(settings),
  stream: TRANSACTIONS.stream,
  subjects: [TRANSACTIONS.subject],
  schema: transactionSchema,
});

/** Folders below the demonstration's own. */
export const foldersOf = ({ folder }: LiveSettings) => ({
  server: join(folder, 'server'),
  load: join(folder, 'load.state'),
  job: join(folder, 'job.state'),
});
