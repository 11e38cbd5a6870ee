import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * A program that runs a job and says every few milliseconds how it is. The source stops
 * at the record whose number standard input says, so that no trouble comes after the end.
 */
const program = `import { csvSink, generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';
import { run } from '@millrace/runtime';

const [folder, output] = process.argv.slice(2);
let allowed = 3_000;
let allow = () => {};
process.stdin.on('data', (lines) => {
  allowed = Number(String(lines).trim().split(/\\s+/).at(-1));
  if (allowed === Infinity) process.stdin.pause();
  allow();
});
const paced = generator({ seed: 1, count: 8_000, ratePerSecond: 2_000, create: (n) => ({ n, at: n * 10 }) });
const numbers = {
  ...paced,
  createReader(context) {
    const reader = paced.createReader(context);
    let given = 0;
    const poll = reader.poll.bind(reader);
    const available = reader.available.bind(reader);
    reader.poll = (max) => {
      if (given >= allowed) return undefined;
      const chunk = poll(Math.min(max, 100));
      if (chunk?.count > 0) given = chunk.values[chunk.start + chunk.count - 1].n;
      return chunk;
    };
    reader.available = () =>
      given < allowed ? available() : new Promise((resolve) => (allow = resolve));
    return reader;
  },
};
const job = defineJob('sums', {}, (job) => {
  job.source('numbers', numbers, watermarks((r) => r.at)).pipe(
    keyBy((r) => r.n % 50),
    keyedProcess('sum', {
      output: type(),
      state: { sum: valueState() },
      process(r, ctx) {
        ctx.state.sum.set((ctx.state.sum.get() ?? 0) + r.n);
        ctx.emit({ key: ctx.key, sum: ctx.state.sum.get() });
      },
    }),
    sinkTo('sums', csvSink({ path: output, columns: ['key', 'sum'] })),
  );
});
const handle = run(job, { checkpoints: { folder, interval: '30ms' } });
const say = (fields) => {
  const { status, recordsIn, attempts, checkpoints } = handle.progress();
  const { committed, alarm } = checkpoints ?? {};
  console.log(JSON.stringify({ status, recordsIn, attempts, committed, alarm: alarm?.code, ...fields }));
};
const timer = setInterval(() => say({}), 10);
await handle.done.then(() => say({ end: 'finished' }), (error) => say({ end: error.code }));
clearInterval(timer);
`;

/** What the program says of its job. */
export interface Said {
  readonly status: string;
  readonly recordsIn: number;
  readonly attempts: number;
  readonly committed?: number | undefined;
  /** A code. */
  readonly alarm?: string | undefined;
  /** \`finished\`, or the code of the failure. */
  readonly end?: string | undefined;
}

/** A folder for the files of a test, in which programs find the packages. */
export class Workshop {
  readonly folder = mkdtempSync(join(root, 'tests', 'tmp-disk-trouble-'));
  private readonly program = join(this.folder, 'job.mjs');
  private readonly children: LivingJob[] = [];
  private readonly mounts: string[] = [];

  constructor() {
    writeFileSync(this.program, program);
  }

  start(checkpoints: string, output: string): LivingJob {
    const job = new LivingJob(
      spawn(process.execPath, [this.program, checkpoints, output], { stdio: 'pipe' }),
    );
    this.children.push(job);
    return job;
  }

  /** A file system of its own; undefined where that is not allowed. */
  mountSmall(name: string, bytes: number): string | undefined {
    const path = join(this.folder, name);
    mkdirSync(path);
    const { status } = spawnSync('/bin/mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${bytes}`,
      'tmpfs',
      path,
    ]);
    if (status !== 0) return undefined;
    this.mounts.push(path);
    return path;
  }

  /** Takes everything down. */
  clear(): void {
    for (const child of this.children) child.kill();
    for (const path of this.mounts) spawnSync('/bin/umount', ['-l', path]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A job in a process of its own. */
export class LivingJob {
  /** Its log. */
  log = '';
  last: Said | undefined;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    child.stderr!.on('data', (text) => {
      this.log += String(text);
    });
    createInterface(child.stdout!).on('line', (line) => {
      this.last = JSON.parse(line) as Said;
      for (const listener of this.listeners) listener();
    });
    child.on('exit', () => {
      for (const listener of this.listeners) listener();
    });
  }

  /** Resolves once it says what is hoped for; rejects when it ends without. */
  until(hoped: (said: Said) => boolean): Promise<Said> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const { last, child } = this;
        const isThere = last !== undefined && hoped(last);
        const hasEnded = child.exitCode !== null || child.signalCode !== null;
        if (!isThere && !hasEnded) return;
        this.listeners.delete(look);
        if (isThere) resolve(last);
        else reject(new Error(`it ended: ${JSON.stringify(last)}\n${this.log}`));
      };
      this.listeners.add(look);
      look();
    });
  }

  /** Lets it read up to about this record; 3,000 at first. */
  allow(record: number): void {
    this.child.stdin!.write(`${record}\n`);
  }

  /** How it ended; the job may read all records now. */
  end(): Promise<string> {
    this.allow(Infinity);
    return this.failure();
  }

  /** The code it ended with, of a job that cannot end well. */
  async failure(): Promise<string> {
    return (await this.until(({ end }) => end !== undefined)).end!;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/** Writes a file until nothing more fits. */
export function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, new Uint8Array(4_096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

/** Makes a mounted file system read-only, or writable again; busy ones are asked again. */
export async function remount(path: string, mode: 'ro' | 'rw'): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const { status } = spawnSync('/bin/mount', ['-o', `remount,${mode}`, path]);
    if (status === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${path} stays busy`);
}

export function sortedLines(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\n').sort();
}
