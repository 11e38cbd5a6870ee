import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'packages/runtime/dist/cli/main.js');
// Inside the repository, so that the job file finds its packages.
const folder = mkdtempSync(join(root, 'tests', 'tmp-unaligned-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const job = join(folder, 'slow.ts');
writeFileSync(
  job,
  `import { slowJob } from '../unaligned-rig.js';
const { OUT = '', SLOW = '0' } = process.env;
export default slowJob(OUT, { total: 3_000, msPerBatch: Number(SLOW) });
`,
);
const checkpoints = join(folder, 'checkpoints');
const hasty = ['--checkpoints', checkpoints, '--interval', '30ms', '--alignment-timeout', '50ms'];

function millrace(env: Record<string, string>, ...args: readonly string[]) {
  const options = { encoding: 'utf8', cwd: folder, timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    ...options,
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

const run = (slots: number): readonly string[] =>
  ['run', job, '--quiet', '--parallelism', '2', '--slots', String(slots)] as const;

function outFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

/** Sorted lines of all files, without headers and numbers of subtasks. */
function linesOf(out: string): readonly string[] {
  return readdirSync(out)
    .filter((name) => name.endsWith('.csv'))
    .flatMap((name) => {
      const [, ...lines] = readFileSync(join(out, name), 'utf8').trimEnd().split('\n');
      return lines.map((line) => `${name.replace(/-\d+\.csv$/, '')}: ${line}`);
    })
    .sort();
}

/** Kills the process once an unaligned checkpoint of its own is the newest. */
async function killWhenUnaligned(child: ChildProcess, taken: Set<string>): Promise<void> {
  for (let listed = ''; child.exitCode === null; ) {
    listed = millrace({}, 'checkpoints', 'list', checkpoints).stdout;
    const newest = /^(\d+) +checkpoint, unaligned .* KiB/m.exec(listed)?.[1];
    if (newest !== undefined && !taken.has(newest)) {
      taken.add(newest);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const exited = new Promise((resolve) => child.once('exit', resolve));
  if (child.kill('SIGKILL')) await exited;
}

test('threads that are killed while records wait go on from them, in other numbers', async () => {
  const undisturbed = outFolder('undisturbed');
  expect(millrace({ OUT: undisturbed }, ...run(1))).toMatchObject({ status: 0, stderr: '' });
  const out = outFolder('killed');
  const taken = new Set<string>();
  for (const slots of [2, 1, 3]) {
    const env = { ...process.env, OUT: out, SLOW: '120' };
    const child = spawn(process.execPath, [cli, ...run(slots), ...hasty], { cwd: folder, env });
    await killWhenUnaligned(child, taken);
  }
  expect(taken.size).toBe(3);
  const { stdout } = millrace({}, 'checkpoints', 'show', checkpoints);
  expect(stdout).toMatch(/^checkpoint, unaligned \d+ of job slow/);
  expect(stdout).toMatch(/records that waited in channels[\s\S]*task-1-of-2 .*channels\/in-/);
  expect(millrace({}, 'checkpoints', 'verify', checkpoints).status).toBe(0);
  expect(millrace({ OUT: out }, ...run(2), ...hasty)).toMatchObject({ status: 0, stderr: '' });
  expect(linesOf(out)).toEqual(linesOf(undisturbed));
}, 60_000);
