import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CSV_HEADER, csvLine } from './model/csv.js';
import { simulate } from './model/simulate.js';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const world = ['--seed', '3', '--cards', '200', '--terminals', '500', '--days', '20'];
const transactions = [...simulate({ seed: 3, cards: 200, terminals: 500, days: 20 })];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-fraud-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(...args: readonly string[]) {
  const options = { cwd: folder, encoding: 'utf8', timeout: 30_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
  return { status, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1)! };
}

function fileOf(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  const text = `${lines.join('\n')}\n`;
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

describe('npm start', () => {
  it('finds the same in any number of slots', () => {
    const [one, ...others] = ['1', '2', '3'].map((slots) => {
      const run = ['--slots', slots, '--alerts', `slots-${slots}.ndjson`, '--summary', 'json'];
      const { status, last, stderr } = start(...world, '--no-checkpoints', ...run);
      expect([status, stderr]).toEqual([0, expect.stringMatching(/alerts are in/)]);
      const {
        eventsPerSecond: _,
        wallMs: __,
        ...summary
      } = JSON.parse(last) as Record<string, unknown>;
      const lines = readFileSync(join(folder, `slots-${slots}.ndjson`), 'utf8').split('\n');
      return { summary, alerts: lines.sort() };
    });
    expect(one!.alerts.length).toBeGreaterThan(20);
    for (const other of others) expect(other).toEqual(one);
  });

  it('ends with a summary in JSON as its last line, whatever the input comes from', () => {
    const simulated = start(...world, '--summary', 'json');
    expect(simulated.status).toBe(0);
    const summary = JSON.parse(simulated.last) as Record<string, unknown>;
    expect(summary).toEqual({
      transactions: transactions.length,
      alerts: expect.any(Number),
      precision: expect.any(Number),
      recall: expect.any(Number),
      scenarios: Object.fromEntries(
        ['1', '2', '3'].map((name) => [
          name,
          { frauds: expect.any(Number), caught: expect.any(Number) },
        ]),
      ),
      wallMs: expect.any(Number),
      eventsPerSecond: expect.any(Number),
    });
    const alerts = readFileSync(join(folder, 'out', 'alerts.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(alerts).toHaveLength(summary.alerts as number);
    expect(JSON.parse(alerts[0]!)).toMatchObject({
      id: expect.any(String),
      findings: expect.any(Array),
    });

    const file = fileOf('transactions.csv.gz', [CSV_HEADER, ...transactions.map(csvLine)]);
    const read = start('--input', file, '--summary', 'json', '--quiet');
    const { wallMs: _, eventsPerSecond: __, ...same } = summary;
    expect(JSON.parse(read.last)).toMatchObject(same);
  });

  it('has nulls where the input has no labels', () => {
    const lines = transactions.map((one) => csvLine(one).split(',').slice(0, 5).join(','));
    const file = fileOf('blind.csv', [CSV_HEADER.split(',').slice(0, 5).join(','), ...lines]);
    const { last, status } = start('--input', file, '--summary', 'json');
    expect(status).toBe(0);
    const unknown = { frauds: null, caught: null };
    expect(JSON.parse(last)).toMatchObject({
      transactions: transactions.length,
      precision: null,
      recall: null,
      scenarios: { '1': unknown, '2': unknown, '3': unknown },
    });
    expect(JSON.parse(last).alerts).toBeGreaterThan(0);
  });

  it('tells people what it found', () => {
    const { stdout, status } = start(...world);
    expect(status).toBe(0);
    expect(stdout).toContain('first alert  2018-04-01');
    expect(stdout).toMatch(/leaked cards +\d+\.\d % {2}\d+ of \d+/);
    expect(stdout).toContain('alerts are in out/alerts.ndjson');
  });

  it.each([
    [['--inptu', 'x'], 2, "Unknown option '--inptu'"],
    [['--checkpoint-interval', 'often'], 2, '--checkpoint-interval should be a time such as 2s'],
    [['--days', 'many'], 2, '--days should be a whole number, found "many"'],
    [['--summary', 'xml'], 2, '--summary should be text or json'],
    [['--input', 'x.csv', '--seed', '1'], 2, '--seed is for simulated transactions'],
    [['--checkpoints', 'a', '--no-checkpoints'], 2, 'leave one of them out'],
    [['--input', 'missing.csv'], 2, 'cannot read missing.csv: there is no such file'],
  ])('refuses %j', (args, code, message) => {
    const { status, stderr, stdout } = start(...args);
    expect({ status, stdout }).toEqual({ status: code, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('--help');
  });

  it('names the columns and the line that are wrong', () => {
    const missing = fileOf('columns.csv', ['id,at,card,amount', '1,0,a,5']);
    expect(start('--input', missing).stderr).toContain('has no column terminal');
    const lines = ['id,at,card,terminal,amount', '1,0,a,t,5', '2,soon,a,t,5', '3,1,a,t,5'];
    const bad = fileOf('bad.csv', lines);
    const failed = start('--input', bad, '--summary', 'json');
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/at.*"soon" is not a whole number/s);
    expect(failed.stderr).toContain('line 3');
    const skipped = start('--input', bad, '--summary', 'json', '--skip-bad');
    expect(skipped.status).toBe(0);
    expect(skipped.stderr).toContain('1 bad line was left out');
    expect(JSON.parse(skipped.last)).toMatchObject({ transactions: 2 });
  });
});
