import { defineJob, type WatermarkOptions, watermarks } from '@millrace/core';
import type { Source, SourceChunk, SourceReader } from '@millrace/core/spi';
import { aggregate, count, keyBy, map, sinkTo, tumbling, window } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

interface Tick {
  readonly at: number;
}
const tick = (at: number): Tick => ({ at });

/** What a reader is told to give next: records of a split, the end of one, or nothing yet. */
type Move =
  | { readonly split: string; readonly at: readonly number[]; readonly ended?: boolean }
  | { readonly run: () => SourceChunk<Tick> | 'end' | undefined };

/** A source that gives what its list says, one chunk a poll, and then ends. */
function scripted(
  splits: readonly string[],
  moves: readonly Move[],
  own: Partial<SourceReader<Tick>> = {},
  log: string[] = [],
): Source<Tick> {
  const left = [...moves];
  return {
    type: 'scripted',
    replay: 'none',
    bounded: true,
    createEnumerator: () => ({
      discover: async () => ({ splits: splits.map((id) => ({ id })), end: true }),
      snapshot: () => null,
      close: async () => void log.push('enumerator closed'),
    }),
    createReader: () => ({
      addSplits: (added) => void log.push(`added ${added.map(({ id }) => id)}`),
      noMoreSplits: () => void log.push('no more'),
      poll: () => {
        const move = left.shift();
        if (move === undefined) return 'end';
        if ('run' in move) return move.run();
        const values = move.at.map(tick);
        return {
          split: move.split,
          values,
          start: 0,
          count: values.length,
          splitEnded: move.ended,
        };
      },
      available: async () => undefined,
      pauseSplits: () => undefined,
      resumeSplits: () => undefined,
      snapshot: () => [],
      close: async () => void log.push('reader closed'),
      ...own,
    }),
  };
}

/** Runs `source → count in windows of 10`; results as `start: n`. */
function start(source: Source<Tick>, env = virtualEnv(), time: WatermarkOptions = {}) {
  const sink = new RecordingSink<{ window: { start: number }; n: number; pane: unknown }>();
  const job = defineJob('sources', {}, (builder) => {
    builder
      .source(
        's',
        source,
        watermarks((t) => t.at, { step: 1, farFuture: 'off', ...time }),
      )
      .pipe(
        keyBy(() => 'k'),
        window('w', tumbling(10)),
        aggregate({ n: count() }),
        sinkTo('out', sink),
      );
  });
  const running = run(job, { env });
  return {
    running,
    results: () => sink.records.map((r) => `${r.value.window.start}: ${r.value.n}`),
  };
}

describe('a source with several splits', () => {
  test.each<[string, readonly string[], readonly Move[], readonly string[], number]>([
    [
      'time is that of the slowest split',
      ['a', 'b'],
      [
        { split: 'a', at: [1, 50] },
        { split: 'b', at: [2, 3] },
        { split: 'a', at: [55] },
        { split: 'b', at: [60] },
      ],
      ['0: 3', '50: 2', '60: 1'],
      0,
    ],
    [
      'a split that nobody has read from holds time back',
      ['a', 'b'],
      [
        { split: 'a', at: [1, 50] },
        { split: 'b', at: [2] },
      ],
      ['0: 2', '50: 1'],
      0,
    ],
    [
      'a split that has ended holds nothing back, and its records are not late',
      ['a', 'b'],
      [
        { split: 'b', at: [2], ended: true },
        { split: 'a', at: [1, 50] },
        { split: 'a', at: [3] },
      ],
      ['0: 2', '50: 1'],
      1,
    ],
    [
      'an empty last chunk ends a split',
      ['a', 'b'],
      [
        { split: 'b', at: [], ended: true },
        { split: 'a', at: [1, 50, 3] },
      ],
      ['0: 1', '50: 1'],
      1,
    ],
    ['no splits at all', [], [], [], 0],
    ['splits without records', ['a', 'b'], [], [], 0],
  ])('%s', async (_name, splits, moves, expected, late) => {
    const { running, results } = start(scripted(splits, moves));
    const { status, metrics } = await running.done;
    expect(status).toBe('finished');
    expect(results()).toEqual(expected);
    expect(metrics.operators.w!.numLateRecordsDropped).toBe(late);
  });

  test('calls come in order: splits, no more, polls, close', async () => {
    const log: string[] = [];
    await start(scripted(['a', 'b'], [], {}, log)).running.done;
    expect(log).toEqual(['added a,b', 'no more', 'reader closed', 'enumerator closed']);
  });
});

test('a split that has nothing does not keep windows from firing while another is read', async () => {
  const env = virtualEnv();
  let started: ReturnType<typeof start> | undefined;
  let firedWhenAwake: readonly string[] = [];
  /** A record of `a` for each 100 ms. */
  const busy = (index: number): Move => ({
    run() {
      env.advance(100);
      return { split: 'a', values: [tick(index * 10)], start: 0, count: 1 };
    },
  });
  const awake: Move = {
    run() {
      firedWhenAwake = started!.results();
      return { split: 'b', values: [tick(5), tick(1_000)], start: 0, count: 2 };
    },
  };
  const moves = Array.from({ length: 40 }, (_, index) => (index === 20 ? awake : busy(index)));
  const source = scripted(['a', 'b'], moves, { isSplitEmpty: (id) => id === 'b' });
  started = start(source, env, { idleAfter: '1s' });
  const { metrics } = await started.running.done;
  expect(firedWhenAwake).toContain('0: 1');
  // What `b` has is on time again where it is ahead of the watermark.
  expect(metrics.operators.w!.numLateRecordsDropped).toBe(1);
  expect(started.results()).toContain('1000: 1');
});

describe('a source that fails', () => {
  const broken = (): never => {
    throw new Error('connection lost');
  };
  const nothingYet: Move = { run: () => undefined };

  test.each<[string, readonly Move[], Partial<SourceReader<Tick>>]>([
    ['open rejects', [], { open: async () => broken() }],
    ['addSplits throws', [], { addSplits: broken }],
    ['poll throws', [{ run: broken }], {}],
    ['poll throws after records', [{ split: 'a', at: [1] }, { run: broken }], {}],
    ['available rejects', [nothingYet], { available: async () => broken() }],
  ])(
    '%s: the job fails with the source’s id and the cause, and closes the reader',
    async (_name, moves, own) => {
      const log: string[] = [];
      const { running } = start(scripted(['a'], moves, own, log));
      await expect(running.done).rejects.toMatchObject({
        code: 'ERR_SOURCE_FAILED',
        operator: 's',
        job: 'sources',
        retryable: true,
        cause: { message: 'connection lost' },
      });
      expect(log).toContain('reader closed');
      expect(running.progress().status).toBe('failed');
    },
  );

  // `available` is called outside of what gives errors their operator.
  test('available throws at once: as if it had rejected', async () => {
    const { running } = start(scripted(['a'], [nothingYet], { available: broken }));
    await expect(running.done).rejects.toMatchObject({ code: 'ERR_SOURCE_FAILED', operator: 's' });
  });

  // The enumerator is closed behind the reader, in one go.
  test('a reader that cannot close leaves the enumerator closed', async () => {
    const log: string[] = [];
    const { running } = start(scripted(['a'], [], { close: async () => broken() }, log));
    await expect(running.done).rejects.toMatchObject({ code: 'ERR_SOURCE_FAILED', operator: 's' });
    expect(log).toContain('enumerator closed');
  });
});

describe('records of a source', () => {
  test('are frozen while records are checked, so a function that changes one fails', async () => {
    const job = defineJob('frozen', {}, (builder) => {
      const source = builder.source('s', scripted(['a'], [{ split: 'a', at: [1] }]));
      source.pipe(sinkTo('first', new RecordingSink()));
      source.pipe(
        map((t) => Object.assign(t as { at: number }, { at: 7 }), { id: 'm' }),
        sinkTo('second', new RecordingSink()),
      );
    });
    const running = run(job, { env: virtualEnv(), checkRecords: 'on' });
    await expect(running.done).rejects.toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'm' });
  });
});
