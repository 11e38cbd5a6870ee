import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { natsSkipReason } from '@millrace/testing/nats';
import { afterAll, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../dist/nats/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-fraud-nats-'));
const children: ChildProcess[] = [];
const skipReason = natsSkipReason();

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A part of the demonstration, and what it has said. */
class Running {
  readonly child: ChildProcess;
  private readonly lines: string[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(port: number, args: readonly string[]) {
    const options = ['--folder', folder, '--port', String(port), '--rate', '3000'];
    this.child = spawn(process.execPath, [program, ...args, ...options], { stdio: 'pipe' });
    children.push(this.child);
    const tell = (): void => {
      for (const listener of this.listeners) listener();
    };
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface(stream).on('line', (line) => {
        this.lines.push(line);
        tell();
      });
    }
    this.child.on('exit', tell);
  }

  /** Resolves with what a line has said, be it already. */
  said(
    pattern: RegExp,
    isIt: (match: RegExpExecArray) => boolean = () => true,
  ): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.lines
          .map((line) => pattern.exec(line))
          .find((match): match is RegExpExecArray => match !== null && isIt(match));
        if (found === undefined && this.child.exitCode === null) return;
        this.listeners.delete(look);
        if (found === undefined) reject(new Error(`${pattern}:\n${this.lines.join('\n')}`));
        else resolve(found);
      };
      this.listeners.add(look);
      look();
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(skipReason !== undefined)(`fraud on JetStream (${skipReason ?? 'it runs'})`, () => {
  test('has no gap and no double when the job and the server are killed', async () => {
    const port = await freePort();
    const all = new Running(port, []);
    const [, job] = await all.said(/^job +is process (\d+)/);
    const [, server] = await all.said(/^server listens.* process (\d+)/);
    await all.said(/^alerts 1: /);
    await all.said(/^job .* checkpoint [2-9]/);

    process.kill(Number(job), 'SIGKILL');
    await all.said(/^job +ended \(SIGKILL\)/);
    const second = new Running(port, ['job']);
    await second.said(/^goes on from checkpoint/);
    const [, last] = await second.said(/checkpoint (\d+)$/);

    process.kill(Number(server), 'SIGKILL');
    await all.said(/^server ended/);
    new Running(port, ['server']);
    await second.said(/checkpoint (\d+)$/, ([, number]) => Number(number) > Number(last) + 5);

    const checked = new Running(port, ['check']);
    await checked.said(/^0 lost, 0 doubled, 0 wrong/);
    const [, alerts] = await checked.said(/([\d,]+) alerts found/);
    expect(Number(alerts!.replace(',', ''))).toBeGreaterThan(5);
  });
});
