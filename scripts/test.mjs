// Makes the checkout ready, checks format, lint and the types of the tests, and runs all tests,
// those with a real nats-server too unless MILLRACE_SKIP_NATS=1 says so. The last line is
// `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';
import { ensureNatsServer } from './nats-server.mjs';

bootstrap();
const say = (text) => process.stderr.write(`${text}\n`);
const withoutNats = process.env.MILLRACE_SKIP_NATS === '1';
if (!withoutNats) {
  try {
    process.env.MILLRACE_NATS_SERVER = await ensureNatsServer({ say });
  } catch (error) {
    // The tests that need it fail, each by name.
    say(error.message);
  }
}
const bin = (name, file) => join(root, 'node_modules', name, ...file.split('/'));
const node = (args) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

const lint = node([bin('@biomejs/biome', 'bin/biome'), 'check', '.']);
// The build leaves tests out, and vitest only strips their types.
const types = node([bin('typescript', 'bin/tsc'), '-p', 'tsconfig.tests.json']);

const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
const report = join(folder, 'report.json');
const tests = node([
  bin('vitest', 'vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);

let passed = 0;
let failed = 0;
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  passed = numPassedTests;
  // A file that cannot even be loaded has no tests to count, and has failed.
  failed = Math.max(numFailedTests, numFailedTestSuites > 0 && numFailedTests === 0 ? 1 : 0);
} catch (error) {
  say(`the test report cannot be read: ${error.message}`);
  failed = 1;
}
rmSync(folder, { recursive: true, force: true });
if (tests.status !== 0 && failed === 0) failed = 1;
if (lint.status === 0) passed += 1;
else {
  say('biome check failed; see above, or run: npm run format');
  failed += 1;
}
if (types.status === 0) passed += 1;
else {
  say('the types of tests are wrong; see above, or run: npx tsc -p tsconfig.tests.json');
  failed += 1;
}
if (withoutNats) say('skipped, by MILLRACE_SKIP_NATS=1: the tests that need a nats-server');
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
