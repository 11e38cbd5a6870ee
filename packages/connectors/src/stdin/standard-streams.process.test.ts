import { spawnSync } from 'node:child_process';
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
