import type { KeyedStream, Stream } from '@millrace/core';
import type { Key } from '@millrace/core/spi';
import { runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  count,
  flatMap,
  keyBy,
  map,
  process,
  rebalance,
  tumbling,
  type,
  union,
  window,
} from './index.js';

/** How many records each key has, in the order of first use. */
async function keysOf(keys: readonly unknown[]): Promise<readonly (readonly [unknown, number])[]> {
  const { main } = await runOperator(
    (s: Stream<{ key: unknown }>) =>
      s.pipe(
        keyBy((r) => r.key as Key),
        window('w', tumbling(1_000)),
        aggregate({ n: count() }),
      ),
    keys.map((key) => ({ record: { key }, at: 0 })),
  );
  return main.map(({ value }) => [value.key, value.n] as const);
}

describe('keyBy: keys are equal by value', () => {
  const day = new Date(86_400_000);

  test.each<[string, unknown[], (readonly [unknown, number])[]]>([
    [
      'texts',
      ['a', 'b', 'a'],
      [
        ['a', 2],
        ['b', 1],
      ],
    ],
    ['0 and −0 are one', [0, -0], [[0, 2]]],
    ['−0 reads back as 0', [-0, 0], [[0, 2]]],
    ['NaN is one', [Number.NaN, Number.NaN], [[Number.NaN, 2]]],
    [
      '1, 1n, "1" and true are four',
      [1, 1n, '1', true],
      [
        [1, 1],
        [1n, 1],
        ['1', 1],
        [true, 1],
      ],
    ],
    ['null is a key', [null, null], [[null, 2]]],
    ['the empty text is a key', ['', ''], [['', 2]]],
    [
      'tuples',
      [
        ['a', 1],
        ['a', 2],
        ['a', 1],
      ],
      [
        [['a', 1], 2],
        [['a', 2], 1],
      ],
    ],
    [
      'tuples with −0',
      [
        ['a', -0],
        ['a', 0],
      ],
      [[['a', 0], 2]],
    ],
    [
      'nested tuples are not flat ones',
      [
        [['a'], 'b'],
        ['a', 'b'],
      ],
      [
        [[['a'], 'b'], 1],
        [['a', 'b'], 1],
      ],
    ],
    ['the empty tuple', [[], []], [[[], 2]]],
    [
      'a tuple of one is not its element',
      ['a', ['a']],
      [
        ['a', 1],
        [['a'], 1],
      ],
    ],
    ['dates', [day, new Date(86_400_000)], [[day, 2]]],
    [
      'a date is not its number',
      [day, 86_400_000],
      [
        [day, 1],
        [86_400_000, 1],
      ],
    ],
    [
      'texts with U+0000',
      ['\u0000', '\u0000a', '\u0000'],
      [
        ['\u0000', 2],
        ['\u0000a', 1],
      ],
    ],
    [
      'infinities',
      [Infinity, -Infinity, Infinity],
      [
        [Infinity, 2],
        [-Infinity, 1],
      ],
    ],
  ])('%s', async (_name, keys, expected) => {
    expect(await keysOf(keys)).toEqual(expected);
  });

  test.each([undefined, {}, Symbol('s'), [undefined]].map((key) => [typeof key, key]))(
    'a key of type %s is refused',
    async (_type, key) => {
      const failure = keysOf([key]);
      await expect(failure).rejects.toMatchObject({ operator: 'w' });
    },
  );
});

describe('what takes a stream takes a keyed one', () => {
  type Operator = (input: KeyedStream<number, number>) => Stream<unknown>;
  const twice = (n: number): number[] => [n, n];

  test.each<[string, Operator, readonly unknown[]]>([
    ['nothing but the sink', (s) => s, [1, 2]],
    ['map', (s) => s.pipe(map((n: number) => n * 10)), [10, 20]],
    ['flatMap', (s) => s.pipe(flatMap(twice)), [1, 1, 2, 2]],
    ['rebalance', (s) => s.pipe(rebalance<number>()), [1, 2]],
    [
      'process',
      (s) => s.pipe(process('p', { output: type<number>(), process: (n, c) => c.emit(-n) })),
      [-1, -2],
    ],
  ])('%s', async (_name, operator, expected) => {
    const { main } = await runOperator(
      (s: Stream<number>) => operator(s.pipe(keyBy((n) => n % 2))),
      [1, 2].map((record) => ({ record, at: 0 })),
    );
    expect(main.map(({ value }) => value)).toEqual(expected);
  });

  test('union', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) => {
        const keyed = s.pipe(keyBy((n) => n));
        return keyed.pipe(union(keyed));
      },
      [1, 2].map((record) => ({ record, at: 0 })),
    );
    expect(main.map(({ value }) => value).sort()).toEqual([1, 1, 2, 2]);
  });
});
