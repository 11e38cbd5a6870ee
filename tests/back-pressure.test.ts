import { fromIterable } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import { filter, flatMap, map, sinkTo, union } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { describe, expect, test } from 'vitest';

/** Records that exist because they were read and have not been written: what memory is made of. */
class InFlight {
  max = 0;
  private read = 0;
  private written = 0;

  *numbers(count: number): Generator<number> {
    for (let n = 0; n < count; n += 1) {
      this.read += 1;
      this.max = Math.max(this.max, this.read - this.written);
      yield n;
    }
  }

  /** A sink that takes a batch only after some turns of the event loop. */
  slowSink(turns: number, weight = 1): Sink<unknown> {
    return {
      type: 'slow',
      guarantee: 'at-most-once',
      createWriter: () => ({
        write: async (batch) => {
          const { count } = batch;
          for (let turn = 0; turn < turns; turn += 1) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          this.written += count / weight;
        },
      }),
    };
  }
}

/** Batches in the channels, the open ones, and the reader's own few. */
const recordsInFlightMax = 12 * 512;

describe('a slow sink', () => {
  test('leaves what is in flight bounded, however much there is to read', async () => {
    const flight = new InFlight();
    const job = defineJob('slow', {}, (builder) => {
      builder
        .source(
          'numbers',
          fromIterable(() => flight.numbers(200_000)),
        )
        .pipe(
          filter((n) => n >= 0),
          map((n) => ({ n })),
          sinkTo('out', flight.slowSink(3)),
        );
    });
    const { metrics } = await run(job).done;
    expect(metrics.operators.out!.numRecordsIn).toBe(200_000);
    expect(flight.max).toBeLessThanOrEqual(recordsInFlightMax);
  });

  test('holds a source back that also feeds a fast sink', async () => {
    const flight = new InFlight();
    let fast = 0;
    const fastSink: Sink<unknown> = {
      type: 'fast',
      guarantee: 'at-most-once',
      createWriter: () => ({
        write: ({ count }) => {
          fast += count;
          return undefined;
        },
      }),
    };
    const job = defineJob('slow', {}, (builder) => {
      const numbers = builder.source(
        'numbers',
        fromIterable(() => flight.numbers(50_000)),
      );
      numbers.pipe(union(numbers.pipe(map((n) => -n))), sinkTo('both', fastSink));
      numbers.pipe(
        flatMap((n) => [n, n, n]),
        sinkTo('slow', flight.slowSink(2, 3)),
      );
    });
    await run(job).done;
    expect(fast).toBe(100_000);
    expect(flight.max).toBeLessThanOrEqual(recordsInFlightMax);
  });
});
