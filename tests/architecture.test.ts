import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Packages that each package may import. They point down only. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  operators: ['core'],
  state: ['core'],
  runtime: ['core', 'state'],
  connectors: ['core'],
  testing: ['core', 'operators', 'state', 'runtime'],
};

/** What folders inside core may import of one another; `.` is core's own root. */
const coreFolders: Readonly<Record<string, readonly string[]>> = {
  errors: ['errors'],
  keys: ['keys', 'errors', 'codec', '.'],
  codec: ['codec', 'errors', 'keys', '.'],
  time: ['time', 'errors', 'spi'],
  spi: ['spi', 'keys', 'errors', '.'],
  graph: ['graph', 'spi', 'keys', 'errors', '.'],
  dsl: ['dsl', 'graph', 'spi', 'time', 'keys', 'errors'],
};

/** Folders that may touch Node, and with it the outside world. */
const hostFolders = [
  'packages/runtime/src/host',
  'packages/runtime/src/cli',
  'packages/state/src/level/classic-level-store.ts',
];

/** Modules that only compute; the engine may use them outside its host. */
const pureModules: Readonly<Record<string, readonly string[]>> = {
  state: ['node:zlib'],
  runtime: ['node:zlib', 'msgpackr'],
};

/** Lines of a file; 120 is typical. Files above are listed with their size, which may only shrink. */
const fileLinesMax = 350;
const largerFiles: Readonly<Record<string, number>> = {};

interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /node_modules|dist/.test(entry.name) ? [] : filesIn(path);
    return /\.(ts|mjs)$/.test(entry.name) ? [path.split(sep).join('/')] : [];
  });
}

function read(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\b[^;']*?from '([^']+)'/gm)].map(
    (match) => match[1]!,
  );
  return { path, text, imports };
}

const isTest = ({ path }: SourceFile): boolean => /\.test(-d)?\.ts$/.test(path);
const all = ['packages', 'examples', 'benchmarks', 'tests', 'scripts'].flatMap(filesIn).map(read);
const shipped = all.filter((file) => file.path.startsWith('packages/') && !isTest(file));
const packageOf = ({ path }: SourceFile): string => path.split('/')[1]!;
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');

/** One line for each violation, so that a failing test says where to look. */
const violations = (
  files: readonly SourceFile[],
  find: (file: SourceFile) => readonly string[],
): string[] => files.flatMap((file) => find(file).map((what) => `${file.path}: ${what}`));

describe('dependencies', () => {
  test('packages import only what lies below them', () => {
    const found = violations(shipped, (file) =>
      file.imports.filter((name) => {
        const match = /^@millrace\/([a-z]+)/.exec(name);
        const allowed = mayImport[packageOf(file)]!;
        return match !== null && match[1] !== packageOf(file) && !allowed.includes(match[1]!);
      }),
    );
    expect(found).toEqual([]);
  });

  test('packages are entered by their doors, never by a path', () => {
    const found = violations(all, (file) =>
      file.imports.filter(
        (name) =>
          /^@millrace\/[a-z]+\/(?!spi$|internal$|nats$)/.test(name) ||
          (name.startsWith('.') && leavesItsPackage(file, name)),
      ),
    );
    expect(found).toEqual([]);
  });

  test('folders of core point one way', () => {
    const inFolders = shipped.filter(({ path }) => /^packages\/core\/src\/[a-z]+\//.test(path));
    const found = violations(inFolders, (file) => {
      const folder = file.path.split('/')[3]!;
      // The door of makers gathers what they need from everywhere.
      if (file.path.endsWith('spi/index.ts')) return [];
      return file.imports.filter((name) => {
        const target = relative('packages/core/src', join(dirname(file.path), name)).split(sep);
        return !coreFolders[folder]!.includes(target.length === 1 ? '.' : target[0]!);
      });
    });
    expect(found).toEqual([]);
  });

  test('the NATS client stays behind the SPI, in one folder of a package', () => {
    const allowed = /^packages\/(connectors|runtime)\/src\/nats\//;
    const found = violations(
      shipped.filter(({ path }) => !allowed.test(path)),
      (file) => file.imports.filter((name) => name.startsWith('@nats-io/')),
    );
    expect(found).toEqual([]);
  });

  test('core has no dependency, and runtime reaches the world through its host only', () => {
    const inside = shipped.filter(
      ({ path }) =>
        /^packages\/(core|operators|state|runtime)\//.test(path) &&
        !hostFolders.some((folder) => path.startsWith(folder)),
    );
    const found = violations(inside, (file) =>
      file.imports.filter(
        (name) =>
          !name.startsWith('.') &&
          !name.startsWith('@millrace/') &&
          !pureModules[packageOf(file)]?.includes(name),
      ),
    );
    expect(found).toEqual([]);
  });
});

function leavesItsPackage(file: SourceFile, name: string): boolean {
  const home = file.path.split('/').slice(0, 2).join('/');
  const target = join(dirname(file.path), name).split(sep).join('/');
  return /^(packages|examples|benchmarks)\//.test(file.path) && !target.startsWith(home);
}

describe('the engine', () => {
  const banned = [
    /\bDate\.now\(/,
    /\bnew Date\(\)/,
    /\bMath\.random\(/,
    /\bset(?:Timeout|Interval|Immediate)\(/,
    /\bperformance\.now\(/,
    /\bprocess\.(?:env|std|hr|argv|on|exit|cwd)/,
  ];

  test('tells no time, draws no randomness and waits for nothing, but through its Env', () => {
    const inside = shipped.filter(
      ({ path }) =>
        /^packages\/(core|operators|state|runtime)\//.test(path) &&
        !hostFolders.some((folder) => path.startsWith(folder)),
    );
    const found = violations(inside, ({ text }) =>
      banned.flatMap((pattern) => pattern.exec(withoutComments(text))?.[0] ?? []),
    );
    // While a job is built these are forbidden, which takes naming them.
    expect(
      found.filter((line) => !line.startsWith('packages/core/src/dsl/build-guard.ts')),
    ).toEqual([]);
  });
});

describe('size', () => {
  test('files are small enough to hold in mind', () => {
    const found = all
      .filter((file) => !isTest(file))
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ path, lines }) => lines > (largerFiles[path] ?? fileLinesMax));
    expect(found).toEqual([]);
  });

  test('the list of larger files only shrinks', () => {
    const stale = Object.entries(largerFiles).filter(([path, lines]) => {
      const file = all.find((other) => other.path === path);
      return file === undefined || file.text.trimEnd().split('\n').length < lines;
    });
    expect(stale).toEqual([]);
  });
});
