import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const corrupt = (...args: readonly string[]) =>
  spawnSync(process.execPath, [program, 'corruption', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });

test('counts what damage comes to', () => {
  const { stdout, status } = corrupt('--mutations', '100', '--seed', '5');
  expect(stdout).toContain('125 mutations, 100 of them of bytes, seed 5');
  expect(stdout).toMatch(/job +ERR_CHECKPOINT_CORRUPT .*harmless/);
  expect(stdout).toContain('nothing wrong was restored');
  expect(status).toBe(0);
});

test.each([
  [['--mutations', 'many'], '--mutations should be a whole number of at least 1, found many'],
  [['--kills', '5'], '--kills'],
])('refuses %j', (args, message) => {
  const { stderr, status } = corrupt(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
