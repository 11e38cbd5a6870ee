import type { DeadLetter, RecordBatch, Sink, SinkWriter } from '@millrace/core/spi';
import { printable } from '../printable.js';
import type { MayThrow } from './throwing-functions.js';

/** Rows by their text: what a destination keeps is text, what oracles see are values. */
export class RowBook {
  private readonly values = new Map<string, unknown>();

  /** A row's text; of a dead letter without what depends on how batches were cut. */
  write(value: unknown, kind: number, from: 'main' | 'deadLetters'): string {
    const row = from === 'deadLetters' ? stableDeadLetter(value as DeadLetter) : value;
    const text = kind === 0 ? printable(row) : `kind ${kind}: ${printable(row)}`;
    if (!this.values.has(text)) this.values.set(text, row);
    return text;
  }

  read(text: string): unknown {
    return this.values.get(text);
  }
}

/** A row as the simulated destination keeps it, back to the text that the book gave. */
export const bookTextOf = (row: string): string =>
  JSON.parse(row.slice(0, row.lastIndexOf(' @'))) as string;

function stableDeadLetter({ record, raw, operator, error }: DeadLetter): unknown {
  return {
    ...(record !== undefined && { record }),
    ...(raw !== undefined && { raw }),
    operator,
    error: { code: error.code, message: error.message },
  };
}

export interface RowSinkParts {
  readonly inner: Sink<unknown>;
  readonly original: Sink<unknown>;
  readonly book: RowBook;
  readonly from: 'main' | 'deadLetters';
  /** Called ahead of each write; may throw. */
  readonly mayThrow: MayThrow;
}

/** A simulated sink in place of the job's own, that writes rows as texts. */
export function rowSink({ inner, original, book, from, mayThrow }: RowSinkParts): Sink<unknown> {
  const asText = (batch: RecordBatch): RecordBatch => {
    const { values, kinds, timestamps, count } = batch;
    const texts = Array.from({ length: count }, (_, i) =>
      book.write(values[i], kinds?.[i] ?? 0, from),
    );
    return { values: texts, timestamps, count } as unknown as RecordBatch;
  };
  return {
    type: original.type,
    guarantee: 'exactly-once',
    parallelismMax: original.parallelismMax,
    acceptsKinds: original.acceptsKinds,
    createWriter: (context) => {
      const writer = inner.createWriter(context);
      const write: SinkWriter['write'] = (batch) => {
        mayThrow(batch.values[0]);
        return writer.write(asText(batch));
      };
      return new Proxy(writer, {
        get: (target, name) => {
          if (name === 'write') return write;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}
