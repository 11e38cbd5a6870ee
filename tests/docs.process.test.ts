import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(root, 'tests', 'tmp-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every block of code in the guide compiles', () => {
  const guide = readFileSync(join(root, 'docs', 'guide.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
  expect(blocks.length).toBeGreaterThanOrEqual(5);
  const files = blocks.map((text, index) => {
    writeFileSync(join(folder, `block-${index + 1}.ts`), text);
    return `block-${index + 1}.ts`;
  });
  const compilerOptions = { composite: false, declaration: false, declarationMap: false };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: { ...compilerOptions, noEmit: true, types: ['node'] },
      files,
    }),
  );
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(stdout).toBe('');
});

test('the graph in the README is the one that its command prints', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, drawn] = /^```mermaid\n([\s\S]*?)^```$/m.exec(readme)!;
  const program = join(root, 'packages', 'runtime', 'bin', 'millrace.mjs');
  const job = join(root, 'examples', 'first', 'card-velocity.ts');
  const { stdout } = spawnSync(process.execPath, [program, 'graph', job, '--format', 'mermaid'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(stdout).toBe(drawn);
});
