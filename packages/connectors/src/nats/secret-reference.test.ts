import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretReader } from './secret-reference.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-secret-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a file is read each time; while it is away its last text counts', () => {
  const file = join(folder, 'token');
  writeFileSync(file, ' first\n');
  const read = secretReader('auth.token', { file });
  expect(read()).toBe('first');
  writeFileSync(file, 'second');
  expect(read()).toBe('second');
  rmSync(file);
  expect(read()).toBe('second');
});

test('what is missing or empty at the start is refused', () => {
  const file = join(folder, 'empty');
  writeFileSync(file, '\n');
  const expected = { code: 'ERR_SECRET_MISSING', field: 'auth.token' };
  for (const reference of [{ file }, { file: join(folder, 'none') }, { env: 'MILLRACE_NO_SUCH' }]) {
    let thrown: unknown;
    try {
      secretReader('auth.token', reference);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject(expected);
  }
});
