import { ndjsonSink, ndjsonSource, pacedSource } from '@millrace/connectors';
import type { JobDefinition } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import type { Event, QueryName, Row } from '../model.js';
import { queryJob } from './query-job.js';

/** From which file to which a query goes. */
export interface QueryFiles {
  /** Events as NDJSON, packed if the name ends in `.gz`. */
  readonly input: string;
  /** Rows as NDJSON; a folder of parts if the name ends in `/`. */
  readonly output: string;
  /** Events a second at most; undefined: as fast as it goes. */
  readonly eventsPerSecond?: number | undefined;
}

/** A query from file to file: with checkpoints exactly once, also through kills. */
export function fileQueryJob(query: QueryName, files: QueryFiles): JobDefinition {
  const { input, output, eventsPerSecond } = files;
  const file = ndjsonSource<Event>({ path: input });
  const source = eventsPerSecond === undefined ? file : pacedSource(file, eventsPerSecond);
  return queryJob(query, { source, sink: begunAnew(ndjsonSink<Row>({ path: output }), output) });
}

/** The sink, which begins with an empty file when its job begins. */
function begunAnew<T>(sink: Sink<T>, path: string): Sink<T> {
  return {
    ...sink,
    createWriter(context) {
      const writer = sink.createWriter(context);
      // Of a folder, the parts of another run stay.
      if (context.restored !== undefined || path.endsWith('/')) return writer;
      const open = writer.open?.bind(writer);
      writer.open = async () => {
        // No checkpoint was committed, so what is there is of another run.
        await context.env.storage.remove(path);
        await open?.();
      };
      return writer;
    },
  };
}
