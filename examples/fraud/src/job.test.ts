import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callbackSink } from '@millrace/connectors';
import { type RunOptions, run } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fraudJob } from './job.js';
import { CSV_HEADER, csvLine } from './model/csv.js';
import { simulate } from './model/simulate.js';
import { decideAll } from './offline/decide-all.js';
import type { Alert, Decided } from './rules/decide.js';
import type { Transaction } from './transaction.js';

const WORLD = { seed: 11, cards: 300, terminals: 700, days: 40 };
const transactions = [...simulate(WORLD)];
const LAST_WEEK_MS = transactions.at(-1)!.at - 7 * 86_400_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-fraud-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Params = NonNullable<RunOptions<ReturnType<typeof fraudJob>['params']>['params']>;

async function runJob(params: Params, options: RunOptions = {}) {
  const decided: Decided[] = [];
  const alerts = join(folder, 'alerts.ndjson');
  const watch = callbackSink((one: Decided) => void decided.push(one));
  rmSync(alerts, { force: true });
  await run(fraudJob(watch), { ...options, params: { alerts, ...params } }).done;
  const lines = readFileSync(alerts, 'utf8').split('\n').slice(0, -1);
  return { decided, alerts: lines.map((line) => JSON.parse(line) as Alert) };
}

function csvFile(name: string, rows: readonly Transaction[]): Params {
  const input = join(folder, name);
  writeFileSync(input, `${[CSV_HEADER, ...rows.map(csvLine)].join('\n')}\n`);
  return { input, truth: ['fraud', 'scenario'] };
}

/** By id; as they were written to a file, so that numbers and texts are compared exactly. */
function sorted(alerts: Iterable<Alert | undefined>): readonly Alert[] {
  const found = [...alerts].filter((alert) => alert !== undefined);
  found.sort((left, right) => Number(left.id) - Number(right.id));
  return JSON.parse(JSON.stringify(found)) as Alert[];
}

function expectedOf(input: readonly Transaction[]): readonly Alert[] {
  return sorted([...decideAll(input)].map(({ alert }) => alert));
}

describe('the job', () => {
  const expected = expectedOf(transactions);

  it('decides as the loop does, on simulated transactions and from a file', async () => {
    expect(expected.length).toBeGreaterThan(100);
    const simulated = await runJob(WORLD);
    expect(sorted(simulated.alerts)).toEqual(expected);
    expect(simulated.decided).toHaveLength(transactions.length);
    const read = await runJob(csvFile('in-order.csv', transactions));
    expect(sorted(read.alerts)).toEqual(expected);
    expect(read.decided.length).toBe(transactions.length);
  });

  it('decides the same without generated code', async () => {
    const { alerts } = await runJob(WORLD, { codegen: 'off' });
    expect(sorted(alerts)).toEqual(expected);
  });

  it('puts transactions that come out of order into order', async () => {
    const shuffled = transactions
      .map((transaction, index) => ({ transaction, at: transaction.at + ((index * 7) % 60) * 1e3 }))
      .sort((left, right) => left.at - right.at)
      .map(({ transaction }) => transaction);
    const inOrder = [...shuffled].sort((left, right) => left.at - right.at);
    const { alerts } = await runJob({ ...csvFile('late.csv', shuffled), disorderMs: 60_000 });
    expect(sorted(alerts)).toEqual(expectedOf(inOrder));
  });

  it('knows nothing of the last week: its truth may be anything', async () => {
    const changed = transactions.map((transaction) =>
      transaction.at < LAST_WEEK_MS
        ? transaction
        : { ...transaction, fraud: !transaction.fraud, scenario: transaction.fraud ? 0 : 1 },
    );
    const { alerts } = await runJob(csvFile('changed.csv', changed));
    expect(sorted(alerts)).toEqual(expected);
    // Otherwise the test would say nothing: the truth of the week before does matter.
    const earlier = changed.map((transaction) =>
      transaction.at < LAST_WEEK_MS - 7 * 86_400_000
        ? transaction
        : { ...transaction, fraud: !transaction.fraud },
    );
    const other = await runJob(csvFile('earlier.csv', earlier));
    expect(sorted(other.alerts)).not.toEqual(expected);
  });

  it('fails at a line that is no transaction, and says which', async () => {
    const input = join(folder, 'bad.csv');
    const lines = ['id,at,card,terminal,amount', '1,0,a,t,5', '2,60000,a,t,-5', '3,120000,a,t,6'];
    writeFileSync(input, lines.join('\n'));
    await expect(runJob({ input })).rejects.toThrow(
      /should not be negative, found -5 \(field amount, at line 3/,
    );
    const skipping = await runJob({ input, skipBad: true });
    expect(skipping.decided.map(({ transaction }) => transaction.id)).toEqual(['1', '3']);
  });
});
