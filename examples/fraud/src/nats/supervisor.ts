import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Part } from './live-arguments.js';
import { listens, serverReady } from './server.js';
import type { LiveSettings } from './settings.js';

type Say = (line: string) => void;

/**
 * Starts all parts as processes of their own, in the order in which they need one another, and shows
 * what they say. A part that ends stays down: starting it again is the demonstration.
 */
export async function superviseAll(
  settings: LiveSettings,
  program: readonly string[],
  say: Say,
): Promise<void> {
  const children: ChildProcess[] = [];
  const start = (part: Part): Promise<void> => {
    const { child, ready } = startPart(part, program, say);
    children.push(child);
    return ready;
  };
  const stop = (): void => {
    // The server last: the others publish what they have on their way out.
    for (const child of children.slice(1)) child.kill('SIGTERM');
    setTimeout(() => children[0]?.kill('SIGTERM'), 1_000);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);

  if (await listens(settings.port)) say(`a server listens at port ${settings.port} already`);
  else await start('server');
  await serverReady(settings);
  for (const part of ['load', 'job', 'alerts'] as const) await start(part);
  say('kill -9 any of these processes, and start it again as it says; Ctrl-C ends all');
  await Promise.all(children.map((child) => ended(child)));
}

function startPart(part: Part, program: readonly string[], say: Say) {
  const [file, ...args] = program;
  const child = spawn(process.execPath, [file!, part, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A terminal's Ctrl-C is for the supervisor, who ends the parts in order.
    detached: true,
  });
  // The server says itself which process it is: this one only starts it.
  if (part !== 'server') say(`${part.padEnd(6)} is process ${child.pid}`);
  const ready = new Promise<void>((resolve) => {
    const show = (line: string): void => {
      say(`${part.padEnd(6)} ${line}`);
      resolve();
    };
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', show);
    child.once('exit', (code, signal) => {
      say(`${part.padEnd(6)} ended (${signal ?? code}); again: npm run fraud:nats -- ${part}`);
      resolve();
    });
  });
  return { child, ready };
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
