import { once } from 'node:events';
import { inspect } from 'node:util';
import type { Sink } from '@millrace/core/spi';

/** How records look. */
export interface ConsoleSinkOptions<T> {
  /** One record as text, without a newline. Default: on one line, as Node prints values. */
  readonly format?: ((record: T) => string) | undefined;
}

/**
 * A sink that prints each record on standard output; at least once.
 *
 * Waits when the reader of the output is slow. What `format` throws, or a closed output, fails
 * the job as ERR_SINK_FAILED.
 *
 * @example
 * sinkTo('alerts', consoleSink({ format: (alert) => `${alert.card}: ${alert.count}` }))
 */
export function consoleSink<T = unknown>(options: ConsoleSinkOptions<T> = {}): Sink<T> {
  const { format = onOneLine } = options;
  return {
    type: 'console',
    guarantee: 'at-least-once',
    createWriter: () => ({
      write({ values, count }) {
        let text = '';
        for (let i = 0; i < count; i += 1) text += `${format(values[i] as T)}\n`;
        return process.stdout.write(text) ? undefined : drained();
      },
    }),
  };
}

async function drained(): Promise<void> {
  await once(process.stdout, 'drain');
}

/** Levels of nested objects that are shown. */
const shownDepth = 4;

const onOneLine = (record: unknown): string =>
  typeof record === 'string'
    ? record
    : inspect(record, { breakLength: Infinity, compact: true, depth: shownDepth });
