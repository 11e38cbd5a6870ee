import { defineJob, fingerprint, noWatermarks, type Stream } from '@millrace/core';
import { ManualSource, RecordingSink, runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregatingState,
  keyBy,
  keyedProcess,
  reducingState,
  sinkTo,
  sortedMapState,
  type TtlOptions,
  type,
  valueState,
} from '../index.js';

interface Sale {
  readonly shop: string;
  readonly item: number;
}
const sale = (shop: string, item: number, at = 0) => ({ record: { shop, item }, at });
const byShop = keyBy((s: Sale) => s.shop);

describe('declared state', () => {
  test('sorts, reduces and aggregates for each key', async () => {
    const report = (sales: Stream<Sale>) =>
      sales.pipe(
        byShop,
        keyedProcess('report', {
          output: type<string>(),
          state: {
            items: sortedMapState<number, string>(),
            greatest: reducingState<number>((a, b) => Math.max(a, b)),
            mean: aggregatingState({
              create: () => ({ sum: 0, n: 0 }),
              add: (a, item: number) => ({ sum: a.sum + item, n: a.n + 1 }),
              result: ({ sum, n }) => sum / n,
            }),
          },
          process({ item }: Sale, ctx) {
            const { items, greatest, mean } = ctx.state;
            items.set(item, ctx.key);
            greatest.add(item);
            mean.add(item);
            const some = [...items.range(2, 9)].map(([n]) => n);
            ctx.emit(
              `${ctx.key}: ${some.join()} of ${items.size}, ${greatest.get()}, ${mean.get()}`,
            );
          },
        }),
      );
    const script = [sale('a', 5), sale('b', 1), sale('a', 2), sale('a', 11)];
    const { main } = await runOperator(report, script);
    expect(main.map(({ value }) => value)).toEqual([
      'a: 5 of 1, 5, 5',
      'b:  of 1, 1, 1',
      'a: 2,5 of 2, 5, 3.5',
      'a: 2,5 of 3, 11, 6',
    ]);
  });

  test('is forgotten when its time to live is over, by event time', async () => {
    const counts = keyedProcess('counts', {
      output: type<string>(),
      state: {
        n: reducingState<number>((a, b) => a + b, { ttl: { after: '10ms', time: 'event' } }),
      },
      process(_: Sale, ctx) {
        ctx.state.n.add(1);
        ctx.emit(`${ctx.key} ${ctx.state.n.get()}`);
      },
    });
    const script = [sale('a', 1, 0), sale('a', 1, 9), sale('b', 1, 25), sale('a', 1, 26)];
    const { main } = await runOperator((s: Stream<Sale>) => s.pipe(byShop, counts), script);
    expect(main.map(({ value }) => value)).toEqual(['a 1', 'a 2', 'b 1', 'a 1']);
  });

  test('lives for event timers until their own time, however far the watermark goes', async () => {
    const visits = keyedProcess('visits', {
      output: type<string>(),
      state: { item: valueState<number>({ ttl: { after: '10ms', time: 'event' } }) },
      process({ item }: Sale, ctx) {
        if (item > 0) ctx.state.item.set(item);
        ctx.timers.check.set(ctx.timestamp + item);
      },
      onEventTime: {
        check: (at, ctx) => ctx.emit(`${ctx.key} ${at} ${ctx.state.item.get()}`),
      },
    });
    const valuesOf = async (script: readonly ReturnType<typeof sale>[]) => {
      const { main } = await runOperator((s: Stream<Sale>) => s.pipe(byShop, visits), script);
      return main.map(({ value }) => value);
    };
    expect(await valuesOf([sale('a', 8, 0), sale('b', 9, 1)])).toEqual(['a 8 8', 'b 10 undefined']);
    // A timer set for a time that has passed does not bring back what was hidden by then.
    expect(await valuesOf([sale('a', 8, 0), sale('b', 1, 30), sale('a', -25, 31)])).toEqual([
      'a 8 8',
      'a 6 undefined',
      'b 31 1',
    ]);
  });

  test('that a processing timer writes or reads has the time of the watermark', async () => {
    const visits = keyedProcess('visits', {
      output: type<string>(),
      state: {
        item: valueState<number>({
          ttl: { after: '10ms', time: 'event', refreshOn: 'readAndWrite' },
        }),
      },
      process({ item }: Sale, ctx) {
        if (item === 0) ctx.emit(`${ctx.timestamp} ${ctx.key} ${ctx.state.item.get()}`);
        else if (item === 1) ctx.state.item.set(item);
        if (ctx.key !== 'c') ctx.timers.check.set(ctx.processingTime + 5);
      },
      onProcessingTime: {
        check: (_at, ctx) => ctx.state.item.set((ctx.state.item.get() ?? 0) + 10),
      },
    });
    const tick = { advanceMs: 5 };
    const script = [
      sale('a', 2, 0),
      sale('c', 2, 20),
      tick,
      sale('a', 0, 29),
      tick,
      sale('c', 2, 38),
    ];
    const { main } = await runOperator(
      (s: Stream<Sale>) => s.pipe(byShop, visits),
      [...script, sale('a', 0, 38), sale('c', 2, 80), sale('a', 0, 81)],
    );
    expect(main.map(({ value }) => value)).toEqual(['29 a 10', '38 a 20', '81 a undefined']);
  });

  test('is part of the graph with its version and time to live', () => {
    const graphOf = (ttl: TtlOptions | undefined) =>
      defineJob('j', {}, (job) => {
        const spec = {
          output: type<string>(),
          state: { last: valueState<number>({ version: 3, ttl }) },
          process() {},
        };
        job
          .source('in', new ManualSource<Sale>(), noWatermarks())
          .pipe(byShop, keyedProcess('p', spec), sinkTo('out', new RecordingSink()));
      }).build().graph;
    const graph = graphOf({ after: '1m', refreshOn: 'readAndWrite' });
    const { state } = graph.nodes.find(({ id }) => id === 'p')!;
    expect(state).toEqual({
      last: {
        kind: 'value',
        version: 3,
        ttl: {
          durationMs: 60_000,
          time: 'processing',
          refreshOn: 'readAndWrite',
          expired: 'hidden',
        },
      },
    });
    expect(fingerprint(graph)).not.toBe(fingerprint(graphOf(undefined)));
  });

  test.each(['0s', 'soon', -5])('cannot live for %s', (after) => {
    const declare = () => valueState<number>({ ttl: { after: after as never } });
    expect(declare).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_DURATION', field: 'ttl.after' }),
    );
  });
});
