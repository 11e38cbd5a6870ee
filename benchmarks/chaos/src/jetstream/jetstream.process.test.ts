import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { natsSkipReason } from '@millrace/testing/nats';
import { describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const start = (...args: readonly string[]) =>
  spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: 115_000 });

describe.skipIf(natsSkipReason() !== undefined)('a job from stream to stream', () => {
  test('that is killed, stopped and robbed of its server loses and doubles nothing', () => {
    const { stdout, status } = start('jetstream', '--kills', '5', '--stopped-max', '3');
    expect(stdout).toMatch(
      /payments, [1-9]\d* rows in the output: 0 lost, 0 doubled or wrong, 0 from/,
    );
    expect(stdout).toContain('5 faults: job 2, server 1, both 1, zombie 1');
    expect(stdout).toContain('1 zombies ended by themselves');
    expect(status).toBe(0);
  });

  test('refuses a stream or a folder that went back in time', () => {
    const { stdout, status } = start('jetstream-rollback', '--trials', '1');
    expect(stdout).toMatch(/nothing +1 {2}goes on/);
    expect(stdout).toMatch(/older output stream +1 {2}ERR_SINK_CHANGED/);
    expect(stdout).toMatch(/older checkpoint folder +1 {2}ERR_METADATA_ROLLBACK/);
    expect(stdout).toContain('no row is there twice');
    expect(status).toBe(0);
  });
});

test.each([
  [['jetstream', '--kills', '0'], '--kills should be a whole number of at least 1'],
  [['jetstream', '--stopped-max', '2'], '--stopped-max should be a whole number of at least 3'],
  [['jetstream-rollback', '--trials', 'x'], '--trials should be a whole number of at least 1'],
])('refuses %j', (args, message) => {
  const { stderr, status } = start(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
