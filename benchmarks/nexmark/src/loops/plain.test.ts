import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = dirname(fileURLToPath(import.meta.url));

/** The file and all that it imports, with the names of packages as they stand. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
    if (name.startsWith('.')) importsOf(join(dirname(file), name.replace(/\.js$/, '.ts')), seen);
    else seen.add(name);
  }
  return seen;
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
);

test.each(files)('loops/%s uses nothing of the engine', (name) => {
  const imports = [...importsOf(join(folder, name))];
  expect(imports.filter((other) => other.startsWith('@'))).toEqual([]);
});

test('the plain loops have no tables of their own', () => {
  const plain = files.filter((name) => /^q\d+\.ts$/.test(name));
  expect(plain).toHaveLength(10);
  const imports = plain.flatMap((name) => [...importsOf(join(folder, name))]);
  expect(imports.filter((file) => relative(folder, file).startsWith('typed'))).toEqual([]);
});
