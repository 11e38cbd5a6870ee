import type { RecordBatch, Sink, SinkWriter } from '@millrace/core/spi';

/** A record that reached a sink. */
export interface SunkRecord<T = unknown> {
  readonly value: T;
  readonly timestamp: number;
}

/** Keeps what a sink receives; can refuse to take more until it is told to go on. */
export class RecordingSink<T> implements Sink<T> {
  readonly type = 'recording';
  readonly guarantee = 'at-most-once';
  readonly acceptsKinds = true;
  readonly records: SunkRecord<T>[] = [];
  private readonly mode: 'prompt' | 'reluctant';

  /** @param mode `reluctant`: every batch is taken only after a turn of the event loop */
  constructor(mode: 'prompt' | 'reluctant' = 'prompt') {
    this.mode = mode;
  }

  createWriter(): SinkWriter {
    return {
      write: (batch) => {
        if (this.mode === 'prompt') {
          this.take(batch);
          return undefined;
        }
        return new Promise<void>((resolve) => {
          setImmediate(() => {
            this.take(batch);
            resolve();
          });
        });
      },
    };
  }

  private take({ values, timestamps, count }: RecordBatch): void {
    for (let i = 0; i < count; i += 1) {
      this.records.push({ value: values[i] as T, timestamp: timestamps[i]! });
    }
  }
}
