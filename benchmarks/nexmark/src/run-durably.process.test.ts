import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenSets, mismatchWithGolden } from './golden.js';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const [{ events, folder: golden }] = goldenSets as [(typeof goldenSets)[number]];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param killWhen asked often; the process is killed as soon as it says so */
function start(args: readonly string[], killWhen = () => false): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const looking = setInterval(() => killWhen() && child.kill('SIGKILL'), 5);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(looking);
      resolve({ code, stdout, stderr });
    });
  });
}

const rowsOf = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** The newest commit by its mark, which is named after it. */
function newestCommit(checkpoints: string): number {
  const marks = join(checkpoints, 'committed');
  const newest = existsSync(marks) ? readdirSync(marks).sort().at(-1) : undefined;
  return newest === undefined ? 0 : Number(newest.split('-')[1]);
}

/** Commits until a process is killed: the first one comes as soon as it has started. */
const commitsPerLife = 3;

describe('run with checkpoints', () => {
  test('killed again and again it ends with the golden rows, then has nothing to do', async () => {
    const output = join(folder, 'q5.ndjson');
    const checkpoints = join(folder, 'q5-checkpoints');
    const where = ['--input', events, '--output', output, '--checkpoints', checkpoints];
    const command = ['run', 'q5', ...where, '--checkpoint-interval', '50ms'];
    for (let kills = 0; kills < 2; kills += 1) {
      const before = newestCommit(checkpoints);
      const isFurther = () => newestCommit(checkpoints) >= before + commitsPerLife;
      // At this rate the input lasts for 10 s.
      const killed = await start([...command, '--rate', '2000'], isFurther);
      expect(killed.code).toBeNull();
    }
    const last = await start(command);
    expect(last.stderr).toMatch(/resumed from checkpoint \d+ \(taken .+\), input at line \d+/);
    expect(JSON.parse(last.stdout)).toMatchObject({ query: 'q5', resumedFrom: expect.any(Number) });
    expect(mismatchWithGolden(golden, 'q5', rowsOf(output))).toBeUndefined();

    const again = await start(command);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('there is nothing left to do');
    expect(mismatchWithGolden(golden, 'q5', rowsOf(output))).toBeUndefined();
  });

  test('begins with an empty output when there are no checkpoints', async () => {
    const output = join(folder, 'q8.ndjson');
    writeFileSync(output, 'of another run\n');
    const where = ['--input', events, '--output', output];
    const { code } = await start(['run', 'q8', ...where, '--checkpoints', join(folder, 'q8')]);
    expect(code).toBe(0);
    expect(mismatchWithGolden(golden, 'q8', rowsOf(output))).toBeUndefined();
  });

  test('refuses an input that is not there', async () => {
    const where = ['--input', join(folder, 'none'), '--output', join(folder, 'rows')];
    const ended = await start(['run', 'q8', ...where, '--checkpoints', join(folder, 'none-c')]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('no such file');
  });
});
