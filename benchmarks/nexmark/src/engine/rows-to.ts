import type { Sink } from '@millrace/core/spi';
import type { RowSink } from '../loops/row-sink.js';
import type { Row } from '../model.js';

/** The sink of a job that writes where the loops write, too. */
export function rowsTo(sink: RowSink): Sink<Row> {
  return {
    type: 'rows',
    guarantee: 'at-most-once',
    createWriter: () => ({
      write: ({ values, timestamps, count }) => {
        sink.write(values, timestamps, count);
        return undefined;
      },
    }),
  };
}
