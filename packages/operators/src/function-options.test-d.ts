import type { DeadLetter, Stream, StreamWithSides } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';
import { filter } from './filter.js';
import { flatMap } from './flat-map.js';
import type { NotPromise } from './function-options.js';
import { map } from './map.js';

/** What code without types gives. */
type Any = ReturnType<typeof JSON.parse>;

declare const numbers: Stream<number>;
declare const later: (n: number) => Promise<number>;
declare const anything: (n: number) => Any;
declare const something: (n: number) => unknown;
const thrown = (): never => {
  throw new Error();
};

type Text = 'this function returns a promise: use asyncMap';

test('a promise among the results makes the text, nothing else does', () => {
  expectTypeOf<NotPromise<Promise<number>>>().toEqualTypeOf<Text>();
  expectTypeOf<NotPromise<PromiseLike<never>>>().toEqualTypeOf<Text>();
  expectTypeOf<NotPromise<Promise<Any>>>().toEqualTypeOf<Text>();
  expectTypeOf<NotPromise<number | Promise<number>>>().toEqualTypeOf<Text>();
  expectTypeOf<NotPromise<void | Promise<void>>>().toEqualTypeOf<Text>();
  expectTypeOf<NotPromise<undefined>>().toEqualTypeOf<unknown>();
  expectTypeOf<NotPromise<number | { a: Promise<number> }>>().toEqualTypeOf<unknown>();
  expectTypeOf<NotPromise<object>>().toEqualTypeOf<unknown>();
  expectTypeOf<NotPromise<never>>().toEqualTypeOf<unknown>();
  expectTypeOf<NotPromise<Any>>().toEqualTypeOf<unknown>();
  expectTypeOf<NotPromise<unknown>>().toEqualTypeOf<unknown>();
});

test('functions that give nothing are functions', () => {
  expectTypeOf(numbers.pipe(map(thrown))).toEqualTypeOf<Stream<never>>();
  expectTypeOf(
    numbers.pipe(
      map(() => {
        throw new Error();
      }),
    ),
  ).toEqualTypeOf<Stream<never>>();
  expectTypeOf(numbers.pipe(flatMap(() => []))).toEqualTypeOf<Stream<never>>();
  numbers.pipe(flatMap(thrown));
  expectTypeOf(numbers.pipe(filter(thrown))).toEqualTypeOf<Stream<number>>();

  const onError = 'deadLetter';
  type Sides = { deadLetters: DeadLetter<number> };
  expectTypeOf(numbers.pipe(map(thrown, { onError }))).toEqualTypeOf<
    StreamWithSides<never, Sides>
  >();
  expectTypeOf(numbers.pipe(flatMap(() => [], { onError }))).toEqualTypeOf<
    StreamWithSides<never, Sides>
  >();
  expectTypeOf(numbers.pipe(filter(thrown, { onError }))).toEqualTypeOf<
    StreamWithSides<number, Sides>
  >();
});

test('whatever policy makes dead letters gives a stream that has them', () => {
  type Sides = { deadLetters: DeadLetter<number> };
  const plain = { onError: 'deadLetter' } as const;
  const late = { onError: { action: 'deadLetter', ceilingRecordsMin: 5_000 } } as const;
  const again = { onError: { action: 'retry', attempts: 3, otherwise: 'deadLetter' } } as const;
  const each = [plain, late, again] as const;
  const [options] = each as readonly (typeof each)[number][];

  const text = (n: number) => `${n}`;
  expectTypeOf(numbers.pipe(map(text, options!))).toEqualTypeOf<StreamWithSides<string, Sides>>();
  expectTypeOf(numbers.pipe(map(text, again))).toEqualTypeOf<StreamWithSides<string, Sides>>();
  expectTypeOf(
    numbers.pipe(map(text, { onError: { action: 'deadLetter', ceilingRecordsMin: 5_000 } })),
  ).toEqualTypeOf<StreamWithSides<string, Sides>>();
  expectTypeOf(numbers.pipe(flatMap((n) => [n], options!))).toEqualTypeOf<
    StreamWithSides<number, Sides>
  >();
  expectTypeOf(numbers.pipe(filter((n) => n > 0, options!))).toEqualTypeOf<
    StreamWithSides<number, Sides>
  >();

  const isOne = (n: number): n is 1 => n === 1;
  expectTypeOf(numbers.pipe(filter(isOne))).toEqualTypeOf<Stream<1>>();
  expectTypeOf(numbers.pipe(filter(isOne, { onError: 'skip' }))).toEqualTypeOf<Stream<1>>();
  expectTypeOf(numbers.pipe(filter(isOne, options!))).toEqualTypeOf<StreamWithSides<1, Sides>>();
});

test('no other policy does', () => {
  const skips = { action: 'retry', attempts: 3, otherwise: 'skip' } as const;
  const fails = { action: 'retry', attempts: 3 } as const;
  for (const onError of ['skip', 'fail', skips, fails] as const) {
    expectTypeOf(numbers.pipe(map((n) => n, { onError }))).toEqualTypeOf<Stream<number>>();
  }
});

test('functions whose results have no known type are functions', () => {
  expectTypeOf(numbers.pipe(map(anything))).toEqualTypeOf<Stream<Any>>();
  expectTypeOf(numbers.pipe(map(something))).toEqualTypeOf<Stream<unknown>>();
  expectTypeOf(numbers.pipe(filter(anything))).toEqualTypeOf<Stream<number>>();
  numbers.pipe(flatMap((n) => JSON.parse(`${n}`)));
  // @ts-expect-error not known to be a boolean
  numbers.pipe(filter(something));
});

test('promises are refused, also where only some results are', () => {
  // @ts-expect-error a promise
  numbers.pipe(map(later));
  // @ts-expect-error a promise of some records
  numbers.pipe(map((n) => (n > 0 ? n : later(n))));
  // @ts-expect-error a promise
  numbers.pipe(map(later, { onError: 'deadLetter' }));
  // @ts-expect-error a promise
  numbers.pipe(filter(async (n) => n > 0));
  // @ts-expect-error a promise for some records
  numbers.pipe(filter((n) => n > 0 || Promise.resolve(true)));
  // @ts-expect-error a promise
  numbers.pipe(flatMap(async (n) => [n]));
  // @ts-expect-error promises as records
  numbers.pipe(flatMap((n) => [n, later(n)]));
  // @ts-expect-error a promise, in generic code
  <T>(stream: Stream<T>) => stream.pipe(map(async (x) => x));
});

test('composites may be generic', () => {
  const same = <T>(stream: Stream<T>) =>
    stream.pipe(
      map((x) => x),
      flatMap((x) => [x]),
    );
  expectTypeOf(numbers.pipe(same)).toEqualTypeOf<Stream<number>>();
  const through = <T, U>(stream: Stream<T>, fn: (x: T) => U) => stream.pipe(map((x) => fn(x)));
  expectTypeOf(through(numbers, String)).toEqualTypeOf<Stream<string>>();
});
