import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const index = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** Reads standard input with the given options and prints every record by a console sink. */
const echo = (options: string) => `
  import { consoleSink, stdinSource } from ${JSON.stringify(index)};
  import { RecordBatch } from '@millrace/core/spi';
  const source = stdinSource(${options});
  const reader = source.createReader({});
  const { splits } = await source.createEnumerator({}).discover();
  reader.addSplits(splits);
  reader.noMoreSplits();
  const writer = consoleSink().createWriter({});
  for (;;) {
    const chunk = reader.poll(512);
    if (chunk === 'end') break;
    if (chunk === undefined) { await reader.available(); continue; }
    const batch = new RecordBatch();
    for (const value of chunk.values) batch.emit(value, 0);
    const pending = writer.write(batch);
    if (pending !== undefined) await pending;
  }
`;
const node = (options: string): [string, string[], { cwd: string }] => [
  process.execPath,
  ['--input-type=module', '--eval', echo(options)],
  { cwd: fileURLToPath(new URL('.', import.meta.url)) },
];

test.each([
  ["{ format: 'lines' }", 'a\n\nb', 'a\nb\n'],
  ["{ format: 'ndjson' }", '{"a":1}\n[true]\n', '{ a: 1 }\n[ true ]\n'],
  ["{ format: 'csv', columns: { n: 'integer' } }", 'm,n\n1,2\n', '{ n: 2 }\n'],
])('standard input and output with %s', (options, input, output) => {
  const [command, args, settings] = node(options);
  const result = spawnSync(command, args, { ...settings, input, encoding: 'utf8' });
  expect({ output: result.stdout, status: result.status }).toEqual({ output, status: 0 });
});

/** Reads standard input with a reader for each attempt; prints what each one is given. */
const attempts = (options: string, attemptsMax: number) => `
  import { stdinSource } from ${JSON.stringify(index)};
  const source = stdinSource(${options});
  for (let attempt = 0; attempt < ${attemptsMax}; attempt += 1) {
    const reader = source.createReader({});
    const { splits } = await source.createEnumerator({}).discover();
    reader.addSplits(splits);
    reader.noMoreSplits();
    let chunk;
    while ((chunk = reader.poll(1)) === undefined) await reader.available();
    console.log(chunk === 'end' ? 'end' : JSON.stringify([...chunk.values, ...(chunk.bad ?? [])]));
    await reader.close();
  }
`;

test.each([
  ["{ format: 'lines' }", 'a\nb\nc', '["a"]\n["b"]\n["c"]\n[]\n'],
  ["{ format: 'csv' }", 'm,n\n1,2\n3,4\n', '[{"m":"1","n":"2"}]\n[{"m":"3","n":"4"}]\n[]\n[]\n'],
])('a later attempt goes on where the last one stopped, with %s', (options, input, output) => {
  const [command, , settings] = node(options);
  const args = ['--input-type=module', '--eval', attempts(options, 4)];
  const result = spawnSync(command, args, { ...settings, input, encoding: 'utf8' });
  expect({ output: result.stdout, error: result.stderr }).toEqual({ output, error: '' });
});

test('a process that stops reading ends, though its input does not', async () => {
  const [command, , settings] = node('');
  const args = ['--input-type=module', '--eval', attempts("{ format: 'lines' }", 2)];
  const child = spawn(command, args, settings);
  child.stdin.write('a\nb\nc\n');
  const [status] = await once(child, 'exit');
  child.stdin.destroy();
  expect(status).toBe(0);
});
