// Makes a fresh clone ready with nothing but Node and npm: installs what the lock file names with
// the pinned pnpm, then builds. Says what it does; does nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const nodeMin = [20, 19];

const say = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
  say(`\n${text}`);
  process.exit(1);
}

function assertNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1])) return;
  fail(`Millrace needs Node ${nodeMin.join('.')} or later; this is ${process.version}.`);
}

/** Runs a program to its end, with its output on standard error; ends this process if it fails. */
function runOrFail(what, command, args) {
  const begun = Date.now();
  say(`${what} …`);
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (error !== undefined) fail(`${what} could not be started: ${error.message}`);
  if (status !== 0) fail(`${what} failed:\n${stdout}\n${stderr}`);
  say(`${what}: done in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** True when what is installed is what the lock file says. */
function isInstalled() {
  const marker = join(root, 'node_modules', '.modules.yaml');
  const lock = join(root, 'pnpm-lock.yaml');
  const installedLock = join(root, 'node_modules', '.pnpm', 'lock.yaml');
  if (!existsSync(marker) || !existsSync(installedLock)) return false;
  return statSync(installedLock).mtimeMs >= statSync(lock).mtimeMs || sameText(lock, installedLock);
}

const sameText = (a, b) => readFileSync(a, 'utf8') === readFileSync(b, 'utf8');

function install() {
  if (isInstalled()) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  runOrFail(`Installing with ${packageManager}`, 'npm', [
    'exec',
    '--yes',
    packageManager,
    '--',
    'install',
    '--frozen-lockfile',
  ]);
}

/** Installs and builds. The build is incremental and takes part of a second when nothing changed. */
export function bootstrap() {
  assertNode();
  install();
  const isBuilt = existsSync(join(root, 'packages', 'core', 'dist', 'index.js'));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!isBuilt) runOrFail('Building', process.execPath, [compiler, '-b']);
  else {
    const { status, stdout } = spawnSync(process.execPath, [compiler, '-b'], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) fail(`The build failed:\n${stdout}`);
  }
}
