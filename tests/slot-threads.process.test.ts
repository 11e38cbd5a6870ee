import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
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
// Inside the repository, so that the job files find their packages.
const folder = mkdtempSync(join(root, 'tests', 'tmp-slot-threads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a job file that takes its folder and rate from the environment. */
function jobFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const sales = jobFile(
  'sales.ts',
  `import { salesJob } from '../slots-rig.js';
const { OUT = '', RATE } = process.env;
export default salesJob(OUT, { total: 8_000, rate: RATE === undefined ? undefined : Number(RATE) });
`,
);

function args(job: string, slots: number, more: readonly string[] = []): readonly string[] {
  return [cli, 'run', job, '--slots', String(slots), '--quiet', ...more];
}

function outFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function run(job: string, slots: number, out: string, more: readonly string[] = []) {
  const env = { ...process.env, OUT: out };
  const options = { encoding: 'utf8', cwd: folder, timeout: 60_000, env } as const;
  return spawnSync(process.execPath, args(job, slots, more), options);
}

/** Sorted lines of all files, without headers and numbers of subtasks. */
function linesOf(out: string): readonly string[] {
  return readdirSync(out)
    .filter((name) => name.endsWith('.csv'))
    .flatMap((name) => {
      const kind = name.replace(/-\d+\.csv$/, '');
      const [, ...lines] = readFileSync(join(out, name), 'utf8').trimEnd().split('\n');
      return lines.map((line) => `${kind}: ${line}`);
    })
    .sort();
}

let expected: readonly string[];

beforeAll(() => {
  const out = outFolder('one');
  expect(run(sales, 1, out)).toMatchObject({ status: 0, stderr: '' });
  expected = linesOf(out);
  expect(expected.length).toBeGreaterThan(10_000);
});

describe('slots in threads', () => {
  test.each([2, 4])('%i of them give the same results', (slots) => {
    const out = outFolder(`many-${slots}`);
    expect(run(sales, slots, out)).toMatchObject({ status: 0, stderr: '' });
    expect(linesOf(out)).toEqual(expected);
  });

  test('with more subtasks than threads, on the level backend', () => {
    const out = outFolder('level');
    const more = ['--parallelism', '3', '--backend', 'level'];
    expect(run(sales, 2, out, more)).toMatchObject({ status: 0, stderr: '' });
    expect(linesOf(out)).toEqual(expected);
  });

  test('go on after kills, in another number each time', async () => {
    const out = outFolder('killed');
    const checkpoints = join(folder, 'checkpoints');
    const more = ['--checkpoints', checkpoints, '--interval', '50ms'];
    for (const slots of [2, 1, 3, 2]) {
      const before = commits(checkpoints);
      const env = { ...process.env, OUT: out, RATE: '4000' };
      const child = spawn(process.execPath, args(sales, slots, more), { cwd: folder, env });
      await until(() => commits(checkpoints) >= before + 3 || child.exitCode !== null);
      await kill(child);
    }
    expect(run(sales, 2, out, more)).toMatchObject({ status: 0, stderr: '' });
    expect(linesOf(out)).toEqual(expected);
  });
});

const failing = (
  body: string,
): string => `import { consoleSink, fromIterable } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { map, rebalance, sinkTo } from '@millrace/operators';
export default defineJob('bad', {}, (job) => {
  job.source('numbers', fromIterable(() => [1, 2, 3, 4, 5, 6])).pipe(
    rebalance(),
    map((n) => { ${body} return n; }, { id: 'victim' }),
    sinkTo('out', consoleSink()),
  );
});
`;

describe('a function in a thread', () => {
  test('that throws fails the job, which names it', () => {
    const job = jobFile('throws.ts', failing(`if (n === 4) throw new RangeError('four');`));
    const { status, stderr } = run(job, 2, folder);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\[victim\] ERR_FUNCTION_THREW.*four/s);
  });

  test('that ends its thread fails the job', () => {
    const job = jobFile('exits.ts', failing(`if (n === 4) process.exit(3);`));
    const { status, stderr } = run(job, 2, folder);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/ERR_SLOT_LOST.*exit code 3/s);
  });

  test('that ends its thread once: all slots go back to the checkpoint, and nothing is lost', () => {
    const out = outFolder('again');
    const mark = join(folder, 'mark');
    const job = jobFile(
      'again.ts',
      `import { existsSync, writeFileSync } from 'node:fs';
import { csvSink, generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';
const numbers = generator<{ n: number }>({
  seed: 1, count: 6_000, splits: 2, ratePerSecond: 4_000, create: (n) => ({ n }),
});
export default defineJob('sums', {}, (job) => {
  job.source('numbers', numbers, watermarks((r) => r.n, { farFuture: 'off' })).pipe(
    keyBy((r) => r.n % 10),
    keyedProcess('sum', {
      output: type<{ n: number; seen: number }>(),
      state: { seen: valueState<number>() },
      process({ n }, ctx) {
        if (n === 4_000 && !existsSync(${JSON.stringify(mark)})) {
          writeFileSync(${JSON.stringify(mark)}, '');
          process.exit(3);
        }
        ctx.state.seen.set((ctx.state.seen.get() ?? 0) + 1);
        ctx.emit({ n, seen: ctx.state.seen.get()! });
      },
    }),
    sinkTo('out', csvSink({ path: ${JSON.stringify(join(out, 'sums-{subtask}.csv'))}, columns: ['n', 'seen'] })),
  );
});
`,
    );
    const more = ['--checkpoints', join(folder, 'checkpoints-again'), '--interval', '50ms'];
    const { status, stderr } = run(job, 2, out, more);
    expect(stderr).toMatch(/the job restarts.*ERR_SLOT_LOST/s);
    expect(status).toBe(0);
    const rows = linesOf(out).map((line) => line.replace('sums: ', '').split(',').map(Number));
    expect(rows.map(([n]) => n!).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 6_000 }, (_, n) => n),
    );
    // Each key has been counted from 1 to 600.
    expect(rows.filter(([, seen]) => seen === 600)).toHaveLength(10);
  });

  test('that does not return is named', () => {
    const job = jobFile(
      'blocks.ts',
      failing(`if (n === 4) { const end = Date.now() + 4_000; while (Date.now() < end); }`),
    );
    const { status, stderr } = run(job, 2, folder);
    expect(status).toBe(0);
    expect(stderr).toMatch(/keeps its slot.*victim/s);
  });
});

describe('a job in threads that cannot begin', () => {
  const reading = (source: string): string => `import { consoleSink } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
const job = defineJob('bad', {}, (job) => {
  job.source('numbers', ${source}).pipe(sinkTo('out', consoleSink()));
});
export default job;
`;

  test('since its source throws as it is made leaves no thread behind', () => {
    const source = `{
  type: 'bad', bounded: true, replay: 'exact',
  createEnumerator() { throw new RangeError('unlucky'); },
  createReader() { throw new Error('not reached'); },
}`;
    const { status, stderr } = run(jobFile('enumerates.ts', reading(source)), 2, folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(/unlucky/);
  });

  test('since its module starts it, in each of them again, says so', () => {
    const job = jobFile(
      'starts.mjs',
      `import { fromIterable } from '@millrace/connectors';
${reading('fromIterable(() => [1, 2, 3])')}
await run(job, { slots: 2, module: import.meta.url }).done;
`,
    );
    const options = { encoding: 'utf8', cwd: folder, timeout: 60_000 } as const;
    const { status, stderr } = spawnSync(process.execPath, [job], options);
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_INVALID_OPTION.*module that a slot loads/s);
  });
});

/** Checkpoints committed so far. */
function commits(checkpoints: string): number {
  const records = join(checkpoints, 'commits', 'commit');
  if (!existsSync(records)) return 0;
  return Math.max(0, ...readdirSync(records).map((name) => Number.parseInt(name, 10) || 0));
}

/** Waits for what can be observed; the test's own time is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
