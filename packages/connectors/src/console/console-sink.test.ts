import { RecordBatch } from '@millrace/core/spi';
import { expect, onTestFinished, test, vi } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { type ConsoleSinkOptions, consoleSink } from './console-sink.js';

/** Prints records to an output that is full or not; what came, and what `write` returned. */
function print(
  records: readonly unknown[],
  isFull: boolean,
  options?: ConsoleSinkOptions<unknown>,
) {
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return !isFull;
  });
  onTestFinished(() => spy.mockRestore());
  const batch = new RecordBatch();
  for (const record of records) batch.emit(record, 0);
  const pending = consoleSink(options).createWriter(testContext()).write(batch);
  spy.mockRestore();
  return { printed, pending };
}

test('prints each record on a line', () => {
  const { printed, pending } = print([{ a: [1, new Map([['b', 2n]])] }, 'text'], false);
  expect(printed).toBe("{ a: [ 1, Map(1) { 'b' => 2n } ] }\ntext\n");
  expect(pending).toBeUndefined();
});

test('prints what the format says', () => {
  expect(print([1, 2], false, { format: (n) => `<${n}>` }).printed).toBe('<1>\n<2>\n');
});

test('waits while the output is full', async () => {
  const { pending } = print([1], true);
  let isDone = false;
  pending?.then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  process.stdout.emit('drain');
  await pending;
});
