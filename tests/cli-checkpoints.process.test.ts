import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'packages/runtime/dist/cli/main.js');
// Inside the repository, so that the job file finds its packages.
const folder = mkdtempSync(join(root, 'tests', 'tmp-cli-checkpoints-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const job = join(folder, 'job.ts');
const checkpoints = join(folder, 'checkpoints');
const running = ['run', job, '--checkpoints', checkpoints, '--interval', '40ms'];

writeFileSync(
  job,
  `import { csvSink, generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { keyBy, keyedProcess, mapState, sinkTo, type, valueState } from '@millrace/operators';

// Slowly the input lasts for 20 s: it does not end before the process is killed.
const numbers = generator<{ n: number; at: number }>({
  seed: 1, count: 20_000, create: (n) => ({ n, at: n * 10 }),
  ...(process.env.PACE === 'slow' && { ratePerSecond: 1_000 }),
});

export default defineJob('sums', {}, (job) => {
  job.source('numbers', numbers, watermarks((r) => r.at)).pipe(
    keyBy((r) => 'key-' + (r.n % 5)),
    keyedProcess('sum', {
      output: type<{ key: string; sum: number }>(),
      state: { sum: valueState<number>(), last: mapState<number, number>() },
      process(r, ctx) {
        ctx.state.sum.set((ctx.state.sum.get() ?? 0) + r.n);
        ctx.state.last.set(r.n % 3, r.n);
        ctx.emit({ key: ctx.key, sum: ctx.state.sum.get()! });
      },
    }),
    sinkTo('sums', csvSink({ path: ${JSON.stringify(join(folder, 'sums.csv'))}, columns: ['key', 'sum'] })),
  );
});
`,
);

function millrace(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

/** Waits for what can be observed; the test's own time is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const manifests = (): string[] =>
  existsSync(join(checkpoints, 'manifests')) ? readdirSync(join(checkpoints, 'manifests')) : [];

/** Names in the first column of `checkpoints list`. */
const names = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => line.split(' ')[0]!);

describe('a job that was killed', () => {
  beforeAll(async () => {
    const env = { ...process.env, PACE: 'slow' };
    const child = spawn(process.execPath, [cli, ...running], { cwd: folder, stdio: 'ignore', env });
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const isUnderWay = (): boolean => manifests().some((name) => Number(name.split('-')[0]) >= 6);
    await until(() => isUnderWay() || hasEnded());
    child.kill('SIGKILL');
    await until(hasEnded);
    expect(child.signalCode).toBe('SIGKILL');
  });

  test('checkpoints list, verify and show', () => {
    const { stdout, status } = millrace('checkpoints', 'list', checkpoints);
    expect(status).toBe(0);
    expect(stdout).toContain('job sums');
    expect(names(stdout)).toHaveLength(2);
    const verified = millrace('checkpoints', 'verify', checkpoints);
    expect(verified.stdout.match(/whole/g)).toHaveLength(2);
    const shown = millrace('checkpoints', 'show', checkpoints).stdout;
    expect(shown).toMatch(/sum +last +map +1/);
    expect(shown).toContain('source numbers:');
  });

  test('state ls, get, scan, diff and export', () => {
    expect(millrace('state', 'ls', checkpoints).stdout).toMatch(/sum +last +map +15/);
    const got = millrace('state', 'get', checkpoints, 'sum', 'key-3').stdout;
    expect(got).toMatch(/sum last "key-3"\[2\] = \d+/);
    expect(got).toMatch(/sum sum "key-3" = \d+/);
    const scanned = millrace('state', 'scan', checkpoints, 'sum', 'sum');
    expect(scanned.stdout.trim().split('\n')).toHaveLength(5);
    const [newer, older] = names(millrace('checkpoints', 'list', checkpoints).stdout);
    const diff = millrace('state', 'diff', checkpoints, older!, newer!);
    expect(diff.stdout).toMatch(/^~ sum sum "key-0" = \d+ → \d+$/m);
    expect(diff.stderr).toMatch(/0 added, 0 removed, \d+ changed/);
    const file = join(folder, 'state.ndjson');
    millrace('state', 'export', checkpoints, '--state', 'sum', '--output', file);
    const rows = readFileSync(file, 'utf8').trim().split('\n');
    expect(rows.map((row) => JSON.parse(row).key).sort()).toEqual(
      [0, 1, 2, 3, 4].map((n) => `key-${n}`),
    );
  });

  test.each([
    ['scan', ['summ'], 'no operator summ has state, but sum'],
    ['scan', ['sum', 'total'], 'no state total, but '],
    ['get', ['sum', 'key-9'], 'sum has no state of key key-9'],
    ['export', ['--operator', 'summ'], 'no operator summ'],
    ['export', ['--output', join(folder, 'no', 'file')], 'ERR_STORAGE_FAILED'],
  ])('state %s %j says what is wrong', (command, args, expected) => {
    const { status, stderr } = millrace('state', command, checkpoints, ...args);
    expect(stderr).toContain(expected);
    expect(status).toBe(1);
  });

  test('a name that is not there', () => {
    const { status, stderr } = millrace('state', 'ls', checkpoints, '--at', '999999');
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_CHECKPOINT_MISSING');
  });

  test('a damaged checkpoint hides no other, nor what to restore from', () => {
    const [newer, older] = names(millrace('checkpoints', 'list', checkpoints).stdout);
    const damaged = join(folder, 'damaged');
    cpSync(checkpoints, damaged, { recursive: true });
    const manifest = readdirSync(join(damaged, 'manifests')).find(
      (name) => Number(name.split('-')[0]) === Number(newer),
    );
    appendFileSync(join(damaged, 'manifests', manifest!), 'x');

    const list = millrace('checkpoints', 'list', damaged);
    expect(list.stdout).toMatch(new RegExp(`^${newer} +damaged .*\n${older} +checkpoint `, 'm'));
    expect(list).toMatchObject({ status: 1, stderr: expect.stringContaining(manifest!) });
    const verified = millrace('checkpoints', 'verify', damaged);
    expect(verified.stdout).toMatch(new RegExp(`^${newer}: damaged\n${older}: whole`));
    expect(verified).toMatchObject({ status: 1, stderr: expect.stringContaining(manifest!) });
    expect(millrace('state', 'ls', damaged, '--at', older!).status).toBe(0);

    const fresh = ['run', job, '--checkpoints', join(folder, 'fresh'), '--from', damaged];
    expect(millrace(...fresh).stderr).toContain('ERR_CHECKPOINT_CORRUPT');
    const other = millrace(...fresh, '--at', 'other').stderr;
    expect(other).toContain(`has no other, but ${newer}, ${older}`);
  });

  test('goes on where it was, says so, and ends with every result once', () => {
    const { status, stderr } = millrace(...running);
    expect(stderr).toContain('resumed from checkpoint');
    expect(status).toBe(0);
    const rows = readFileSync(join(folder, 'sums.csv'), 'utf8').trim().split('\n').slice(1);
    expect(rows).toHaveLength(20_000);
    const sums = new Map(rows.map((row) => row.split(',') as [string, string]));
    expect(sums.get('key-4')).toBe(
      String(Array.from({ length: 4_000 }, (_, i) => i * 5 + 4).reduce((a, b) => a + b)),
    );
    expect(millrace(...running).stderr).toContain('nothing to do');
  });

  test('a damaged file is named', () => {
    const [name] = readdirSync(join(checkpoints, 'segments'));
    const path = join(checkpoints, 'segments', name!);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    const { status, stderr } = millrace('checkpoints', 'verify', checkpoints);
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_CHECKPOINT_CORRUPT');
    expect(stderr).toContain(name);
  });

  test('a checkpoint of no folder', () => {
    const { status, stderr } = millrace(...running, '--at', '1');
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_INVALID_OPTION: .*give from, too \(field at/);
  });

  test('a savepoint on stop that no folder could have', () => {
    const { status, stderr } = millrace(...running, '--savepoint-on-stop', 'a/b');
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_INVALID_OPTION: .*"a\/b" is no name .*field --savepoint-on-stop/);
  });
});

/** Ends with its exit code and what it said on standard error. */
async function endOf(child: ChildProcess): Promise<{ status: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (data) => (stderr += data));
  await once(child, 'close');
  return { status: child.exitCode, stderr };
}

test('a reader that has seen enough ends a command without an error', async () => {
  const child = spawn(process.execPath, [cli, 'state', 'export', checkpoints], { cwd: folder });
  child.stdout.destroy();
  expect(await endOf(child)).toEqual({ status: 141, stderr: '' });
});

describe('an interrupt', () => {
  /** The job, interrupted while its file is loaded, with more that the file does then. */
  function interrupted(name: string, afterwards: string): string {
    const path = join(folder, `${name}.ts`);
    const signal = "process.kill(process.pid, 'SIGINT');\n";
    const seen = 'await new Promise((resolve) => setTimeout(resolve, 100));\n';
    writeFileSync(path, readFileSync(job, 'utf8') + signal + seen + afterwards);
    return path;
  }
  const state = join(folder, 'interrupted-early');

  test('ahead of the job is no fault of its file', () => {
    const path = interrupted('unloaded', "throw new Error('The service was stopped');");
    const { status, stderr } = millrace('run', path, '--checkpoints', state);
    expect(stderr).toMatch(/^ERR_CANCELLED: .*nothing has begun/m);
    expect(status).toBe(130);
    expect(existsSync(state)).toBe(false);
  });

  test('ahead of the first checkpoint says where the job goes on', () => {
    const { status, stderr } = millrace('run', interrupted('loaded', ''), '--checkpoints', state);
    expect(stderr).toMatch(/^interrupted: .*\ncancelled: 0 records in.*\n.*from where it was$/m);
    expect(status).toBe(0);
  });

  test('that a launcher hands on once more lets the job stop all the same', () => {
    const path = interrupted('twice', "process.kill(process.pid, 'SIGINT');");
    const { status, stderr } = millrace('run', path, '--checkpoints', state);
    expect(stderr).toMatch(/^cancelled: /m);
    expect(status).toBe(0);
  });

  test('too early for its savepoint is a failure that says so, and of no line', () => {
    const args = ['--checkpoints', state, '--savepoint-on-stop', 'early'];
    const { status, stderr } = millrace('run', interrupted('early', ''), ...args);
    expect(stderr).toMatch(/ERR_CHECKPOINT_FAILED: .* savepoint was not taken: .*at its start/);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(1);
  });
});

test('an interrupt whose savepoint cannot be taken is a failure that says why', async () => {
  const other = join(folder, 'interrupted');
  mkdirSync(join(other, 'savepoints', 'taken'), { recursive: true });
  writeFileSync(join(other, 'savepoints', 'taken', 'manifest.json'), '{}');
  const args = ['run', job, '--checkpoints', other, '--savepoint-on-stop', 'taken', '--quiet'];
  const env = { ...process.env, PACE: 'slow' };
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env });
  const ended = endOf(child);
  await until(() => existsSync(join(other, 'manifests')) || child.exitCode !== null);
  child.kill('SIGINT');
  const { status, stderr } = await ended;
  expect(stderr).toMatch(/savepoint taken is not taken; the job is cancelled/);
  expect(stderr).toMatch(/ERR_\w+: .*taken/);
  expect(status).toBe(1);
});
