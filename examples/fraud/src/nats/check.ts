import { callbackSink, type JetstreamSourceOptions, jetstreamSource } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { decideAll } from '../offline/decide-all.js';
import type { Alert } from '../rules/decide.js';
import type { Transaction } from '../transaction.js';
import { ALERTS, type LiveSettings, natsOf, transactionsFrom } from './settings.js';

export interface CheckResult {
  readonly transactions: number;
  readonly alerts: number;
  /** Expected up to the last alert that is there, and missing. */
  readonly lost: number;
  /** More than once. */
  readonly doubled: number;
  /** Not expected at all, or with other content. */
  readonly wrong: number;
}

/** Decides all transactions of the one stream anew, and compares with the alerts in the other. */
export async function check(settings: LiveSettings): Promise<CheckResult> {
  // Alerts first: what is decided meanwhile has its transactions in the stream.
  const alerts = await readAll<Alert>({
    nats: natsOf(settings),
    stream: ALERTS.stream,
    subjects: [ALERTS.subject],
  });
  const transactions = await readAll<Transaction>(transactionsFrom(settings));
  return compare(transactions, alerts);
}

/** @param transactions in order of time */
export function compare(
  transactions: readonly Transaction[],
  alerts: readonly Alert[],
): CheckResult {
  const expected = new Map<string, string>();
  for (const { alert } of decideAll(transactions)) {
    if (alert !== undefined) expected.set(alert.id, JSON.stringify(alert));
  }
  const untilMs = alerts.reduce((latest, { at }) => Math.max(latest, at), -Infinity);
  const found = new Set<string>();
  let doubled = 0;
  let wrong = 0;
  for (const alert of alerts) {
    if (found.has(alert.id)) doubled += 1;
    found.add(alert.id);
    if (expected.get(alert.id) !== JSON.stringify(alert)) wrong += 1;
  }
  // Alerts of one millisecond may be in two checkpoints, of which the second is still to come.
  const isDue = (id: string): boolean => (JSON.parse(expected.get(id)!) as Alert).at < untilMs;
  const lost = [...expected.keys()].filter((id) => !found.has(id) && isDue(id)).length;
  return { transactions: transactions.length, alerts: alerts.length, lost, doubled, wrong };
}

/** All that the stream has now. */
async function readAll<T>(options: JetstreamSourceOptions<T>): Promise<T[]> {
  const records: T[] = [];
  const job = defineJob('check', {}, (builder) => {
    builder.source('stream', jetstreamSource<T>({ ...options, bounded: true }), watermarks()).pipe(
      sinkTo(
        'memory',
        callbackSink((record: T) => void records.push(record)),
      ),
    );
  });
  await run(job).done;
  return records;
}
