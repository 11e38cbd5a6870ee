import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const world = ['--seed', '3', '--cards', '1000', '--terminals', '2000', '--days', '60'];
const json = ['--summary', 'json'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-fraud-resume-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly summary: Record<string, unknown>;
}

/** @param stop the signal that stops the run at its first alert, when it is well under way */
function start(args: readonly string[], stop?: 'SIGKILL' | 'SIGINT'): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args, ...json], { cwd: folder });
  let stdout = '';
  let stderr = '';
  let isStopped = false;
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
    if (stop === undefined || isStopped || !stderr.includes('transactions')) return;
    // Once: a signal that comes while the process ends would end it in another way.
    isStopped = true;
    child.kill(stop);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const last = stdout.trimEnd().split('\n').at(-1);
      const { wallMs: _, eventsPerSecond: __, ...summary } = JSON.parse(last || '{}');
      resolve({ code, stderr, summary });
    });
  });
}

const alerts = (name: string) =>
  readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').sort();

describe('npm start, begun again', () => {
  it('goes on after Ctrl-C and after a kill, without a gap or a double', async () => {
    const whole = await start([...world, '--alerts', 'whole.ndjson', '--no-checkpoints']);
    const command = [...world, '--alerts', 'parts.ndjson'];
    expect((await start(command, 'SIGINT')).code).toBe(130);
    expect((await start(command, 'SIGKILL')).code).toBeNull();
    const last = await start(command);
    expect(last.stderr).toMatch(/resumed from checkpoint \d+, taken .*; it goes on at transaction/);
    expect(last.summary).toEqual(whole.summary);
    expect(alerts('parts.ndjson')).toEqual(alerts('whole.ndjson'));

    const again = await start(command);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('all transactions have been decided before');
    expect(again.stderr).toContain('--fresh begins anew');
    expect(again.summary).toEqual(whole.summary);
    expect(alerts('parts.ndjson')).toEqual(alerts('whole.ndjson'));
  });

  it('begins anew with other transactions, and says so', async () => {
    const command = [
      '--cards',
      '100',
      '--terminals',
      '200',
      '--days',
      '10',
      '--alerts',
      'a.ndjson',
    ];
    const first = await start([...command, '--seed', '1']);
    const other = await start([...command, '--seed', '2']);
    expect(other.stderr).toContain('this one begins anew');
    expect(other.summary.transactions).not.toEqual(first.summary.transactions);
    const { summary } = await start([...command, '--seed', '2', '--fresh', '--alerts', 'b.ndjson']);
    expect(other.summary).toEqual(summary);
    expect(alerts('a.ndjson')).toEqual(alerts('b.ndjson'));
  });
});
