import type { Stream } from '@millrace/core';
import { runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { flatMap } from './index.js';

const script = (...values: readonly number[]) =>
  values.map((record, i) => ({ record, at: i * 10 }));
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function* stepsTo(n: number): Generator<number> {
  for (let i = 0; i < n; i += 1) yield i;
}

async function check(
  fn: (n: number) => Iterable<unknown>,
  input: readonly number[],
  expected: readonly unknown[],
): Promise<void> {
  const { main } = await runOperator((s: Stream<number>) => s.pipe(flatMap(fn)), script(...input));
  expect(main.map(({ value }) => value)).toEqual(expected);
}

describe('flatMap', () => {
  test.each<[string, (n: number) => Iterable<unknown>]>([
    ['an array', upTo],
    ['a generator', stepsTo],
    ['a set', (n) => new Set(upTo(n))],
    ['an array or a generator', (n) => (n % 2 === 0 ? upTo(n) : stepsTo(n))],
  ])('takes %s, also an empty one', async (_name, fn) => {
    await check(fn, [3, 0, 1, 0, 2], [0, 1, 2, 0, 0, 1]);
  });

  test('rows have the time of their record', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) => s.pipe(flatMap((n) => [n, n])),
      script(7, 8),
    );
    expect(main).toEqual([
      { value: 7, timestamp: 0 },
      { value: 7, timestamp: 0 },
      { value: 8, timestamp: 10 },
      { value: 8, timestamp: 10 },
    ]);
  });

  test.each([511, 512, 513, 2_000])('%i rows of one record arrive in order', async (n) => {
    await check(upTo, [n, 1], [...upTo(n), 0]);
    await check(stepsTo, [n, 1], [...upTo(n), 0]);
  });

  test('the function sees its context and what setup made', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) =>
        s.pipe(
          flatMap((n, ctx) => [`${ctx.operatorId} ${n + ctx.resource} at ${ctx.timestamp}`], {
            id: 'f',
            setup: () => 100,
          }),
        ),
      script(1, 2),
    );
    expect(main.map(({ value }) => value)).toEqual(['f 101 at 0', 'f 102 at 10']);
  });
});

describe('a flatMap that throws', () => {
  function* twoThenThrow(n: number): Generator<string> {
    yield `${n}a`;
    if (n === 13) throw new RangeError('unlucky');
    yield `${n}b`;
  }
  const arrayOrThrow = (n: number): string[] => [...twoThenThrow(n)];

  test.each([
    ['an array', arrayOrThrow],
    ['a generator in its middle', twoThenThrow],
  ])('skip: %s leaves nothing of its record, and all of the others', async (_name, fn) => {
    const { main, metrics } = await runOperator(
      (s: Stream<number>) => s.pipe(flatMap(fn, { id: 'f', onError: 'skip' })),
      script(1, 13, 2, 13),
    );
    expect(main.map(({ value }) => value)).toEqual(['1a', '1b', '2a', '2b']);
    expect(metrics.f).toMatchObject({ numRecordsSkipped: 2 });
  });

  test('a generator that spans batches and throws leaves nothing either', async () => {
    function* long(n: number): Generator<number> {
      yield* stepsTo(700);
      if (n === 13) throw new RangeError('unlucky');
    }
    const { main } = await runOperator(
      (s: Stream<number>) => s.pipe(flatMap(long, { onError: 'skip' })),
      script(13, 1),
    );
    expect(main).toHaveLength(700);
  });

  test('deadLetter: the record, and not its rows', async () => {
    const { main, sides } = await runOperator(
      (s: Stream<number>) => s.pipe(flatMap(twoThenThrow, { id: 'f', onError: 'deadLetter' })),
      script(1, 13),
      { sides: ['deadLetters'] },
    );
    expect(main.map(({ value }) => value)).toEqual(['1a', '1b']);
    expect(sides.deadLetters).toMatchObject([{ value: { record: 13, operator: 'f' } }]);
  });

  test('fail: the error names the operator', async () => {
    const running = runOperator(
      (s: Stream<number>) => s.pipe(flatMap(twoThenThrow, { id: 'f' })),
      script(13),
    );
    await expect(running).rejects.toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'f' });
  });
});

describe('a flatMap whose function gives what cannot be taken at once', () => {
  const given = (value: unknown) => () => value as Iterable<unknown>;

  const rejected = () => Promise.reject(new Error('unlucky')) as never;

  async function* later() {
    yield 1;
  }

  test.each<[string, () => Iterable<unknown>, string, string]>([
    ['a promise', given(Promise.resolve([])), 'ERR_FUNCTION_RETURNED_PROMISE', 'not async'],
    ['a rejected promise', rejected, 'ERR_FUNCTION_RETURNED_PROMISE', 'not async'],
    ['promises', (async () => []) as never, 'ERR_FUNCTION_RETURNED_PROMISE', 'must not be async'],
    ['generators', later as never, 'ERR_FUNCTION_RETURNED_PROMISE', 'must not be async'],
    ['an async generator', given(later()), 'ERR_FUNCTION_RETURNED_PROMISE', 'not async'],
    ['nothing', given(undefined), 'ERR_FUNCTION_THREW', 'the function gave undefined'],
    ['an object', given({ n: 1 }), 'ERR_FUNCTION_THREW', 'the function gave an object'],
  ])('%s', async (_name, fn, code, detail) => {
    const running = runOperator((s: Stream<number>) => s.pipe(flatMap(fn, { id: 'f' })), script(1));
    await expect(running).rejects.toMatchObject({
      code,
      operator: 'f',
      detail: expect.stringContaining(detail),
    });
  });
});
