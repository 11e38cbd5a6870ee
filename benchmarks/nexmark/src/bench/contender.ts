import { run } from '@millrace/runtime';
import { Feed } from '../engine/feed.js';
import { bySourceTime, queryJob } from '../engine/query-job.js';
import { rowsTo } from '../engine/rows-to.js';
import type { EventBatch } from '../input.js';
import { LoopDriver } from '../loops/loop.js';
import type { LoopClass } from '../loops/loops.js';
import type { RowSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';

/** One way to run a query, to be compared with others. */
export interface Contender {
  readonly name: string;
  /** Begins anew, with nothing read. */
  start(sink: RowSink): Running;
}

/** A query that waits for events. */
export interface Running {
  /** Takes batches, and hands on all rows that are due but for a last partly filled batch. */
  push(batches: readonly EventBatch[]): Promise<void> | void;
  /** Ends the input: all rows that are left come out. */
  end(): Promise<void> | void;
}

/** The query as a job of the engine; it runs until its input ends. */
export function engineContender(query: QueryName): Contender {
  return {
    name: `${query} engine`,
    start(sink) {
      const source = new Feed<Event>();
      const job = queryJob(query, { source, sink: rowsTo(sink), watermarks: bySourceTime });
      const { done } = run(job, { checkRecords: 'off' });
      return {
        // A job that fails asks for nothing any more.
        push: (batches) => Promise.race([source.push(batches), done.then(() => undefined)]),
        async end() {
          source.end();
          await done;
        },
      };
    },
  };
}

/** A hand-written loop. */
export function loopContender(name: string, loop: LoopClass): Contender {
  return { name, start: (sink) => new LoopDriver(new loop(sink)) };
}
