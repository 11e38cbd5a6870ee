import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'packages/runtime/dist/cli/main.js');
// Inside the repository, so that the job file finds its packages.
const folder = mkdtempSync(join(root, 'tests', 'tmp-cli-broadcast-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const job = join(folder, 'job.ts');
const checkpoints = join(folder, 'checkpoints');

writeFileSync(
  job,
  `import { csvSink, generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { broadcastState, keyBy, keyedConnectBroadcast, sinkTo, type, valueState } from '@millrace/operators';

const numbers = generator<{ n: number; at: number }>({
  seed: 1, count: 1_000, ratePerSecond: 2_000, create: (n) => ({ n, at: n * 10 }),
});

export default defineJob('rules', {}, (job) => {
  const updates = job.source('updates', numbers, watermarks((r) => r.at));
  job.source('numbers', numbers, watermarks((r) => r.at)).pipe(
    keyBy((r) => 'key-' + (r.n % 5)),
    keyedConnectBroadcast('check', updates, {
      output: type<{ n: number }>(),
      broadcast: { rules: broadcastState<string, { limit: number }>() },
      state: { last: valueState<number>() },
      process: (r, ctx) => ctx.state.last.set(r.n),
      processBroadcast: ({ n }, ctx) => ctx.broadcast.rules.set('rule-' + (n % 3), { limit: n }),
    }),
    sinkTo('out', csvSink({ path: ${JSON.stringify(join(folder, 'out.csv'))}, columns: ['n'] })),
  );
});
`,
);

function millrace(...args: string[]) {
  return spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 60_000,
  });
}

beforeAll(() => {
  const run = millrace('run', job, '--checkpoints', checkpoints, '--interval', '40ms');
  expect(run.stderr).not.toContain('ERR_');
  expect(run.status).toBe(0);
});

test('the graph shows what goes to all subtasks, and what it updates', () => {
  const { stdout } = millrace('explain', job);
  expect(stdout).toContain('check  keyedConnectBroadcast (state {last: value, rules: broadcast})');
  expect(stdout).toContain('← updates  [broadcast]');
});

test('state ls, get, scan and export show broadcast state by its keys', () => {
  expect(millrace('state', 'ls', checkpoints).stdout).toMatch(/check +rules +broadcast +3/);
  const got = millrace('state', 'get', checkpoints, 'check', 'rule-1').stdout;
  expect(got.trim()).toBe('check rules "rule-1" = {"limit":997}');
  const scanned = millrace('state', 'scan', checkpoints, 'check', 'rules').stdout;
  expect(scanned.trim().split('\n')).toEqual([
    'check rules "rule-0" = {"limit":999}',
    'check rules "rule-1" = {"limit":997}',
    'check rules "rule-2" = {"limit":998}',
  ]);
  const file = join(folder, 'state.ndjson');
  millrace('state', 'export', checkpoints, '--state', 'rules', '--output', file);
  const rows = readFileSync(file, 'utf8').trim().split('\n');
  expect(rows.map((row) => JSON.parse(row).value)).toEqual(
    [999, 997, 998].map((limit) => ({ limit })),
  );
});

test('state diff shows the rules that have changed between two checkpoints', () => {
  const list = millrace('checkpoints', 'list', checkpoints).stdout.trim().split('\n').slice(2);
  const [newer, older] = list.map((line) => line.split(' ')[0]!);
  const rulesAt = (at: string): Map<string, string> => {
    const { stdout } = millrace('state', 'scan', checkpoints, 'check', 'rules', '--at', at);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return new Map(lines.map((line) => line.split(' = ') as [string, string]));
  };
  const before = rulesAt(older!);
  const after = rulesAt(newer!);
  expect(after.size).toBe(3);
  const changes = [...after].flatMap(([rule, now]) => {
    const then = before.get(rule);
    // On a slow machine there may have been none yet.
    if (then === undefined) return [`+ ${rule} = ${now}`];
    return then === now ? [] : [`~ ${rule} = ${then} → ${now}`];
  });
  const { stdout } = millrace('state', 'diff', checkpoints, older!, newer!);
  expect(stdout.split('\n').filter((line) => line.includes(' rules '))).toEqual(changes);
});
