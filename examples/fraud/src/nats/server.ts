import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../arguments.js';
import { foldersOf, type LiveSettings } from './settings.js';

const finder = fileURLToPath(new URL('../../../../scripts/nats-server.mjs', import.meta.url));

/** How long a server may take to come up, ms. */
const startMsMax = 10_000;

/** Starts nats-server, which is installed where there is none, with its streams in the folder. */
export function startServer(settings: LiveSettings): ChildProcess {
  const { status, stdout } = spawnSync(process.execPath, [finder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new UsageError('there is no nats-server, and none could be installed');
  const folder = foldersOf(settings).server;
  mkdirSync(folder, { recursive: true });
  const address = ['-a', '127.0.0.1', '-p', String(settings.port)];
  const files = ['-js', '-sd', folder, '-l', join(folder, 'server.log')];
  return spawn(stdout.trim(), [...address, ...files], { stdio: 'ignore' });
}

/** Resolves when something listens. */
export async function serverReady({ port }: LiveSettings): Promise<void> {
  for (const endMs = performance.now() + startMsMax; performance.now() < endMs; ) {
    if (await listens(port)) return;
    await delay(50);
  }
  throw new UsageError(`no server listens at port ${port}; its log is server.log in its folder`);
}

/** Whether somebody listens on this machine. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (does: boolean): void => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}
