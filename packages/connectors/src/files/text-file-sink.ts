import type { RecordBatch, Sink } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import { BufferedFileWriter, type ExistingFile, pathOfSubtask } from './buffered-file-writer.js';

/** Where a file sink writes. */
export interface FileSinkOptions {
  /** `{subtask}` in it stands for the number of the writing subtask. */
  readonly path: string;
  /**
   * `append` (default) keeps what the file holds. `truncate` begins anew whenever the job starts,
   * also when it is restored from a checkpoint, so what was written before that one is lost.
   */
  readonly existing?: ExistingFile | undefined;
}

/** How records become text. */
export interface TextFormatter {
  /** What an empty file begins with. */
  readonly head: string;
  /** A record as text with its newline. */
  line(record: unknown): string;
}

/** A sink that writes a line for each record. */
export function textFileSink<T>(
  type: string,
  options: FileSinkOptions,
  formatter: TextFormatter,
  settings: Readonly<Record<string, unknown>>,
): Sink<T> {
  const { path, existing = 'append' } = options;
  if (path === '') refuseOption('path', 'the path is empty');
  return {
    type,
    guarantee: existing === 'append' ? 'at-least-once' : 'at-most-once',
    settings: { path, existing, ...settings },
    createWriter(context) {
      const file = new BufferedFileWriter(pathOfSubtask(path, context));
      return {
        async open() {
          const { isEmpty } = await file.open(existing);
          if (isEmpty) await file.add(formatter.head);
        },
        write: (batch) => file.add(linesOf(batch, formatter)),
        flush: () => file.flush(),
        finish: () => file.finish(),
        close: () => file.close(),
      };
    },
  };
}

function linesOf({ values, count }: RecordBatch, formatter: TextFormatter): string {
  let lines = '';
  for (let i = 0; i < count; i += 1) lines += formatter.line(values[i]);
  return lines;
}
