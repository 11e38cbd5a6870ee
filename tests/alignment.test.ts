import { collectSink } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import type { Source, SourceReader } from '@millrace/core/spi';
import { sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';

const second = 1_000;

/** A split that has a record for each second up to a time that the test moves. */
class Seconds {
  given = 0;
  until = 0;
  hasEnded = false;
  private isPaused = false;
  private more: () => void = () => undefined;

  /** There are records up to this second; with `end` no others will come. */
  reach(until: number, end = false): void {
    this.until = until;
    this.hasEnded = end;
    this.more();
  }

  reader(id: string): SourceReader<number> {
    return {
      addSplits: () => undefined,
      noMoreSplits: () => undefined,
      poll: () => {
        if (this.isPaused) return undefined;
        if (this.given >= this.until) return this.hasEnded ? 'end' : undefined;
        const values = [this.given * second];
        this.given += 1;
        return { split: id, values, start: 0, count: 1 };
      },
      available: () =>
        new Promise((resolve) => {
          this.more = resolve;
        }),
      pauseSplits: () => {
        this.isPaused = true;
      },
      resumeSplits: () => {
        this.isPaused = false;
      },
      snapshot: () => [],
    };
  }
}

/** Each subtask reads one of the splits. */
const sourceOf = (splits: readonly Seconds[]): Source<number> => ({
  type: 'seconds',
  replay: 'none',
  bounded: true,
  createEnumerator: () => ({
    discover: async () => ({ splits: splits.map((_, at) => ({ id: `${at}` })), end: true }),
    snapshot: () => null,
  }),
  createReader: ({ subtask }) => splits[subtask]!.reader(`${subtask}`),
});

function start(splits: readonly Seconds[], slots: number) {
  const env = virtualEnv();
  const time = watermarks((at: number) => at, {
    align: { group: 'all', maxDrift: '5s' },
    step: 1,
    farFuture: 'off',
  });
  const job = defineJob('aligned', {}, (b) => {
    b.source('seconds', sourceOf(splits), time, { parallelism: splits.length }).pipe(
      sinkTo('rows', collectSink<number>()),
    );
  });
  const running = run(job, { env, slots });
  return {
    running,
    async advance(ms: number): Promise<void> {
      for (let passed = 0; passed < ms; passed += 10) {
        for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
        env.advance(10);
      }
    },
  };
}

test.each([1, 2, 3])('in %i slots fast splits wait for the slowest', async (slots) => {
  const splits = [new Seconds(), new Seconds(), new Seconds()];
  const [slow, fast, ended] = splits as [Seconds, Seconds, Seconds];
  const { running, advance } = start(splits, slots);
  ended.reach(2, true);
  fast.reach(100);
  await advance(500);
  expect(fast.given).toBeLessThanOrEqual(1);

  slow.reach(11);
  await advance(1_000);
  expect([slow.given, ended.given]).toEqual([11, 2]);
  // It is seen to be ahead when it has given what is.
  expect(fast.given).toBeGreaterThanOrEqual(16);
  expect(fast.given).toBeLessThanOrEqual(17);

  slow.reach(40, true);
  fast.reach(100, true);
  await advance(5_000);
  expect([slow.given, fast.given]).toEqual([40, 100]);
  await running.done;
});
