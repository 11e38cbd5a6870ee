import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends servers whose test process is gone, however it went: a helper process reads what is to be
 * ended from a pipe, and acts when the pipe breaks. One helper for each test process.
 */
export const childGuard = {
  /** The process `pid` must not outlive this one. */
  watch(pid: number): void {
    send({ watch: pid });
  },
  /** It has ended: its number may soon belong to somebody else. */
  forget(pid: number): void {
    send({ forget: pid });
  },
  /** The folder must not outlive this process. */
  watchFolder(folder: string): void {
    send({ watchFolder: folder });
  },
  forgetFolder(folder: string): void {
    send({ forgetFolder: folder });
  },
};

const program = `
const { rmSync } = require('node:fs');
const pids = new Set();
const folders = new Set();
const act = ({ watch, forget, watchFolder, forgetFolder }) => {
  if (watch !== undefined) pids.add(watch);
  if (forget !== undefined) pids.delete(forget);
  if (watchFolder !== undefined) folders.add(watchFolder);
  if (forgetFolder !== undefined) folders.delete(forgetFolder);
};
let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) act(JSON.parse(line));
});
process.stdin.on('close', () => {
  for (const pid of pids) try { process.kill(pid, 'SIGKILL'); } catch {}
  setTimeout(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 100);
});
`;

let helper: ChildProcess | undefined;

function send(message: Readonly<Record<string, unknown>>): void {
  helper ??= start();
  helper.stdin?.write(`${JSON.stringify(message)}\n`);
}

/** In a group of its own: a Ctrl-C in the terminal must not end it before its work is done. */
function start(): ChildProcess {
  const child = spawn(process.execPath, ['-e', program], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}
