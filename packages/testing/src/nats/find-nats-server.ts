import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { MillraceError } from '@millrace/core';

const isWindows = process.platform === 'win32';
const fileName = isWindows ? 'nats-server.exe' : 'nats-server';

/**
 * Path of a nats-server: `MILLRACE_NATS_SERVER`, then what the repository's script has installed,
 * then PATH.
 *
 * @throws ERR_TEST_KIT when there is none
 */
export function findNatsServer(): string {
  const asked = process.env.MILLRACE_NATS_SERVER;
  const candidates = asked ? [asked] : [...installed(), ...onPath()];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MillraceError(
    'ERR_TEST_KIT',
    asked
      ? `there is no file ${asked}, which MILLRACE_NATS_SERVER names`
      : 'there is no nats-server: put one on PATH or name it in MILLRACE_NATS_SERVER; in the ' +
          'repository, node scripts/nats-server.mjs installs one',
  );
}

/**
 * Why tests that need a server are to be skipped; undefined: run them. Only an explicit
 * `MILLRACE_SKIP_NATS=1` skips: a missing server is a failure.
 *
 * @example
 * describe.skipIf(natsSkipReason() !== undefined)('orders', () => { … });
 */
export function natsSkipReason(): string | undefined {
  return process.env.MILLRACE_SKIP_NATS === '1' ? 'MILLRACE_SKIP_NATS=1' : undefined;
}

/** Newest first. The folder is the one of scripts/nats-server.mjs. */
function installed(): string[] {
  const caches =
    process.env.XDG_CACHE_HOME ??
    (isWindows ? process.env.LOCALAPPDATA : undefined) ??
    join(homedir(), '.cache');
  const folder = join(caches, 'millrace', 'nats-server');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((version) => join(folder, version, fileName));
}

const onPath = (): string[] =>
  (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, fileName));
