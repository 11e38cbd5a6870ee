import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'packages/runtime/dist/cli/main.js');
const example = join(root, 'examples/first/card-velocity.ts');
// Inside the repository, so that the job files find their packages.
const folder = mkdtempSync(join(root, 'tests', 'tmp-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function millrace(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

function jobFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('millrace', () => {
  test('run: the README’s pipeline prints its alerts and ends', () => {
    const { status, stdout, stderr } = millrace('run', example, '--param', 'threshold=70');
    expect(stderr).toContain('finished: 20000 records in');
    expect(stdout).toMatch(/^card-7: \d+ payments/);
    expect(status).toBe(0);
  });

  test('graph: text, JSON and Mermaid', () => {
    expect(millrace('graph', example).stdout).toContain('← payments  [key, ships');
    const json = JSON.parse(millrace('graph', example, '--format', 'json').stdout);
    expect(json.nodes.map(({ id }: { id: string }) => id)).toContain('velocity');
    expect(millrace('graph', example, '--format', 'mermaid').stdout).toContain('flowchart LR');
  });

  test('run, graph: what reaches no sink is told of, on standard error', () => {
    const path = jobFile(
      'lost.ts',
      `import { fromArray, consoleSink } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { map, sinkTo } from '@millrace/operators';
export default defineJob('lost', {}, (job) => {
  const numbers = job.source('numbers', fromArray([1, 2, 3]));
  numbers.pipe(map((n) => n + 1, { id: 'more' }));
  numbers.pipe(sinkTo('out', consoleSink()));
});
`,
    );
    const { stdout, stderr } = millrace('graph', path, '--format', 'json');
    expect(stderr).toBe('warning: [more] what this map gives reaches no sink\n');
    expect(JSON.parse(stdout)).toMatchObject({ job: 'lost' });
    const ran = millrace('run', '--quiet', path);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(/"warn".*reaches no sink.*"more"/);
  });

  test('explain --code: the loops that run', () => {
    const { stdout } = millrace('explain', '--code', example);
    expect(stdout).toContain('// velocity: fused');
  });

  test('a function that throws: operator first, then the author’s own line', () => {
    const path = jobFile(
      'throws.ts',
      `import { fromArray } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { map, sinkTo } from '@millrace/operators';
import { consoleSink } from '@millrace/connectors';
export default defineJob('throws', {}, (job) => {
  job.source('numbers', fromArray([1, 2, 3])).pipe(
    map((n): number => {
      if (n === 2) throw new Error('two is too many');
      return n;
    }, { id: 'picky' }),
    sinkTo('out', consoleSink()),
  );
});
`,
    );
    const { status, stderr } = millrace('run', path);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\[picky\] ERR_FUNCTION_THREW: .*two is too many/m);
    expect(stderr).toContain('throws.ts:8');
  });

  test('an option that is not usable: the author’s own line, none of Millrace’s', () => {
    const path = jobFile(
      'size.ts',
      `import { fromArray, consoleSink } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { count, aggregate, keyBy, sinkTo, tumbling, window } from '@millrace/operators';
export default defineJob('size', { size: '1 minute' }, (job, params) => {
  job.source('numbers', fromArray([1, 2, 3])).pipe(
    keyBy((n) => n),
    window('w', tumbling(params.size as never)),
    aggregate({ n: count() }),
    sinkTo('out', consoleSink()),
  );
});
`,
    );
    const { status, stderr } = millrace('run', path);
    expect(status).toBe(1);
    expect(stderr).toContain("size is '1 minute'");
    expect(stderr).toContain('size.ts:7');
    expect(stderr).not.toContain('assigner');
  });

  test('the place of a line is right where the packages are a link', () => {
    const linked = mkdtempSync(join(tmpdir(), 'millrace-linked-'));
    try {
      symlinkSync(join(root, 'node_modules'), join(linked, 'node_modules'), 'dir');
      writeFileSync(join(linked, 'early.ts'), '\n\nexport const job = (undefined as never)();\n');
      const { stderr } = millrace('run', join(linked, 'early.ts'));
      expect(stderr).toContain(`${realpathSync(linked)}/early.ts:3`);
    } finally {
      rmSync(linked, { recursive: true, force: true });
    }
  });

  test('says its version', () => {
    expect(millrace('--version')).toMatchObject({ status: 0, stdout: '0.1.0\n' });
  });

  test('a wrong option is the last but one line of what is said', () => {
    const { status, stderr } = millrace('run', example, '--backend', 'disk');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: .*Allowed choices are heap, level\.\s+--help shows what/);
  });

  test.each([
    ['a file that is not there', ['run', 'missing.ts'], 'ERR_JOB_FILE'],
    ['a file without a job', ['run', jobFile('empty.ts', 'export default 1;')], 'ERR_JOB_FILE'],
    ['a file that does not compile', ['run', jobFile('bad.ts', 'export {')], 'ERR_JOB_FILE'],
    ['a param the job does not have', ['run', example, '-p', 'nope=1'], 'ERR_INVALID_PARAMS'],
    ['a param of another type', ['run', example, '-p', 'threshold=x'], 'ERR_INVALID_PARAMS'],
    ['an unknown command', ['fly'], 'unknown command'],
  ])('%s', (_name, args, expected) => {
    const { status, stderr } = millrace(...args);
    expect(stderr).toContain(expected);
    expect(status).toBe(1);
  });
});
