import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const start = (...args: readonly string[]) =>
  spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: 110_000 });

test('jobs that are killed five times write what they write undisturbed', () => {
  const { stdout, status } = start('embedded', '--kills', '5', '--job', 'fraud', '--job', 'q8');
  expect(stdout).toContain('5 kills, ');
  expect(stdout).toMatch(/fraud +3 kills.*the same byte for byte/);
  expect(stdout).toMatch(/q8 +2 kills.*the same byte for byte/);
  expect(status).toBe(0);
});

test.each([
  [['nobody'], 'say what to kill'],
  [['embedded', '--kills', '0'], '--kills should be a whole number of at least 1'],
  [['embedded', '--job', 'q99'], '--job should be one of fraud, q5, q8, q11'],
])('refuses %j', (args, message) => {
  const { stderr, status } = start(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
