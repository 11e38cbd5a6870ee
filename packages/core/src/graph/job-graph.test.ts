import {
  type BuiltJob,
  defineJob,
  describe as describeGraph,
  fingerprint,
  type JobBuilder,
  type Stream,
  watermarks,
} from '@millrace/core';
import {
  aggregate,
  broadcast,
  count,
  filter,
  flatMap,
  global,
  keyBy,
  map,
  rebalance,
  sinkTo,
  sliding,
  tumbling,
  union,
  window,
} from '@millrace/operators';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

type Build = (input: Stream<number>, job: JobBuilder) => unknown;

const built = (build: Build): BuiltJob =>
  defineJob(
    'j',
    {},
    (job) => void build(job.source('in', new ManualSource<number>()), job),
  ).build();
const out = () => sinkTo<unknown>('out', new RecordingSink());
const idsOf = (build: Build): readonly string[] => built(build).graph.nodes.map(({ id }) => id);

describe('ids', () => {
  test.each<[string, Build, readonly string[]]>([
    [
      'follow the place of the operator',
      (s) =>
        s.pipe(
          map((n) => n),
          filter(() => true),
          out(),
        ),
      ['in', 'in/map', 'in/map/filter', 'out'],
    ],
    [
      'are counted where they would be the same',
      (s) => {
        s.pipe(
          map((n) => n),
          sinkTo('a', new RecordingSink()),
        );
        s.pipe(
          map((n) => n),
          out(),
        );
      },
      ['in', 'in/map', 'a', 'in/map-2', 'out'],
    ],
    [
      'are the author’s where there is one',
      (s) =>
        s.pipe(
          map((n) => n, { id: 'mine' }),
          flatMap(() => []),
          out(),
        ),
      ['in', 'mine', 'mine/flatMap', 'out'],
    ],
    [
      'name the side output',
      (s) =>
        (s as ReturnType<JobBuilder['source']>).side.deadLetters.pipe(
          map(() => 1),
          out(),
        ),
      ['in', 'in.deadLetters/map', 'out'],
    ],
  ])('%s', (_name, build, expected) => {
    expect(idsOf(build)).toEqual(expected);
  });

  test('of a long chain stay unique and short', () => {
    const ids = idsOf((s) => {
      let chain: Stream<number> = s;
      for (let i = 0; i < 200; i += 1) chain = chain.pipe(map((n) => n));
      return chain.pipe(out());
    });
    expect(new Set(ids).size).toBe(202);
    expect(Math.max(...ids.map(({ length }) => length))).toBeLessThanOrEqual(100);
  });
});

describe('movement is data on the edge', () => {
  test.each<[string, Build, string]>([
    [
      'nothing said',
      (s) =>
        s.pipe(
          map((n) => n),
          out(),
        ),
      'forward',
    ],
    [
      'rebalance',
      (s) =>
        s.pipe(
          rebalance<number>(),
          map((n) => n),
          out(),
        ),
      'rebalance',
    ],
    [
      'broadcast',
      (s) =>
        s.pipe(
          broadcast<number>(),
          map((n) => n),
          out(),
        ),
      'broadcast',
    ],
    [
      'global',
      (s) =>
        s.pipe(
          global<number>(),
          map((n) => n),
          out(),
        ),
      'global',
    ],
    [
      'keyBy',
      (s) =>
        s.pipe(
          keyBy((n: number) => n),
          map((n) => n),
          out(),
        ),
      'key',
    ],
    [
      'the last one counts',
      (s) =>
        s.pipe(
          rebalance<number>(),
          global<number>(),
          map((n) => n),
          out(),
        ),
      'global',
    ],
  ])('%s', (_name, build, kind) => {
    const { edges } = built(build).graph;
    expect(edges.map(({ partitioning }) => partitioning.kind)).toEqual([kind, 'forward']);
  });
});

describe('fingerprint', () => {
  const job = (
    name = 'j',
    id = 'm',
    size = 10,
    fn = (n: number) => n,
    policy: 'fail' | 'skip' = 'fail',
  ) =>
    defineJob(name, { limit: 5, list: [1] as readonly number[] }, (builder) => {
      builder.source('in', new ManualSource<number>(), watermarks<number>()).pipe(
        map(fn, { id, onError: policy }),
        keyBy((n) => n),
        window('w', tumbling(size)),
        aggregate({ n: count() }),
        out(),
      );
    });
  const print = (...args: Parameters<typeof job>): string =>
    fingerprint(job(...args).build().graph);

  test('is 128 bits of hex, the same for the same job', () => {
    expect(print()).toMatch(/^[0-9a-f]{32}$/);
    expect(print()).toBe(print());
  });

  test('is not changed by what functions do, nor by the order of params', () => {
    expect(print('j', 'm', 10, (n) => n * 2)).toBe(print());
    const { graph } = job().build();
    const reordered = Object.fromEntries(Object.entries(graph).reverse()) as never;
    expect(fingerprint(reordered)).toBe(fingerprint(graph));
  });

  test.each([
    ['the job’s name', print('k')],
    ['an id', print('j', 'n')],
    ['a setting', print('j', 'm', 20)],
    ['an error policy', print('j', 'm', 10, undefined, 'skip')],
    ['a param', fingerprint(job().build({ limit: 6 }).graph)],
  ])('is changed by %s', (_name, other) => {
    expect(other).not.toBe(print());
  });
});

describe('describe', () => {
  const { graph } = built((s, job) => {
    const other = job.source('other', new ManualSource<number>());
    s.pipe(
      union(other),
      keyBy((n) => n),
      window('w', sliding('10s', '1s')),
      aggregate({ n: count() }),
      out(),
    );
  });

  test('text, for people', () => {
    expect(describeGraph(graph)).toMatchInlineSnapshot(`
      "job j
        in  manual
        other  manual
        in/union  union
          ← in
          ← other
        w  window (window sliding, sizeMs 10000, slideMs 1000, offsetMs 0, aggregate ["n: count"], storage slices, state {rows: keyTable})
          ← in/union  [key, ships key + time]
        out  recording (guarantee at-most-once)
          ← w"
    `);
  });

  test('mermaid, for a picture', () => {
    expect(describeGraph(graph, 'mermaid')).toMatchInlineSnapshot(`
      "flowchart LR
        n0(["in<br/>manual"])
        n1(["other<br/>manual"])
        n2["in/union<br/>union"]
        n3["w<br/>window"]
        n4[/"out<br/>recording"/]
        n0 --> n2
        n1 --> n2
        n2 -->|"key"| n3
        n3 --> n4"
    `);
  });

  test('json is the graph itself', () => {
    expect(JSON.parse(describeGraph(graph, 'json'))).toEqual(graph);
  });
});
