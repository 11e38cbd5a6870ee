import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const world = ['--seed', '3', '--cards', '1000', '--terminals', '2000', '--days', '120'];
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

/** When a run is stopped, and by which signal. */
interface Stop {
  readonly signal: 'SIGKILL' | 'SIGINT';
  /** Asked often. */
  readonly when: (stderr: string) => boolean;
}

function start(args: readonly string[], stop?: Stop): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args, ...json], { cwd: folder });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const looking = setInterval(() => {
    if (stop?.when(stderr) !== true) return;
    // Once: a signal that comes while the process ends would end it in another way.
    clearInterval(looking);
    child.kill(stop.signal);
  }, 5);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(looking);
      const last = stdout.trimEnd().split('\n').at(-1);
      const { wallMs: _, eventsPerSecond: __, ...summary } = JSON.parse(last || '{}');
      resolve({ code, stderr, summary });
    });
  });
}

/** Commits that a run makes before it is stopped: the first one comes as soon as it has started. */
const commitsPerRun = 3;

/** Stops a run when it has made some commits, however fast that is. */
function stopUnderWay(signal: Stop['signal'], checkpoints: string): Stop {
  const first = newestCommit(checkpoints) + 1;
  return { signal, when: () => newestCommit(checkpoints) >= first + commitsPerRun - 1 };
}

/** By its mark, which is named after it. */
function newestCommit(checkpoints: string): number {
  const marks = join(folder, checkpoints, 'committed');
  const newest = existsSync(marks) ? readdirSync(marks).sort().at(-1) : undefined;
  return newest === undefined ? 0 : Number(newest.split('-')[1]);
}

const alerts = (name: string) =>
  readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').sort();

/** Where a run says that it goes on. */
function transactionAt({ stderr }: Ended): number {
  const line = /resumed from checkpoint \d+, taken .*; it goes on at transaction ([\d,]+)/;
  return Number(line.exec(stderr)![1]!.replaceAll(',', ''));
}

describe('npm start, begun again', () => {
  it('goes on after Ctrl-C and after a kill, without a gap or a double', async () => {
    const whole = await start([...world, '--alerts', 'whole.ndjson', '--no-checkpoints']);
    const state = 'parts.ndjson.state';
    const command = [...world, '--alerts', 'parts.ndjson'];
    const oftener = [...command, '--checkpoint-interval', '30ms'];
    expect((await start(oftener, stopUnderWay('SIGINT', state))).code).toBe(130);
    const killed = await start(oftener, stopUnderWay('SIGKILL', state));
    expect(killed.code).toBeNull();
    const last = await start(command);
    expect(transactionAt(last)).toBeGreaterThan(transactionAt(killed));
    expect(transactionAt(killed)).toBeGreaterThan(1);
    expect(last.summary).toEqual(whole.summary);
    expect(alerts('parts.ndjson')).toEqual(alerts('whole.ndjson'));

    const again = await start(command);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('all transactions have been decided before');
    expect(again.stderr).toContain('--fresh begins anew');
    expect(again.summary).toEqual(whole.summary);
    expect(alerts('parts.ndjson')).toEqual(alerts('whole.ndjson'));
  });

  it('shows true counts from its first line on, in two slots as well', async () => {
    const state = 'slots.ndjson.state';
    const command = [...world, '--alerts', 'slots.ndjson', '--slots', '2'];
    const oftener = [...command, '--checkpoint-interval', '100ms'];
    await start(oftener, stopUnderWay('SIGINT', state));
    const { stderr } = await start(command);
    expect(stderr).toContain('resumed from checkpoint');
    expect(stderr).not.toMatch(/ 0 transactions/);
  });

  it('has no summary of what it does not know yet', async () => {
    const command = [...world, '--alerts', 'early.ndjson', '--slots', '2'];
    await start(command, stopUnderWay('SIGINT', 'early.ndjson.state'));
    const isOpening = (stderr: string): boolean => stderr.includes('resumed from');
    const { code, summary } = await start(command, { signal: 'SIGINT', when: isOpening });
    expect(code).toBe(130);
    // Interrupted later, it has one.
    expect(summary.transactions).not.toBe(0);
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
