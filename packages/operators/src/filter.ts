import type { DeadLetter, FunctionContext, Stream, StreamWithSides } from '@millrace/core/spi';
import type { DeadLetterOptions, FunctionOptions, NotPromise } from './function-options.js';
import { addInline } from './inline.js';

/**
 * A text that the compiler shows beside a predicate that answers with anything but a boolean.
 * `never`, of one that only throws, is asked for first: it has no members to answer for it.
 */
type Answer<B> = [B] extends [never]
  ? unknown
  : B extends boolean | PromiseLike<unknown>
    ? unknown
    : 'a predicate must give a boolean';

/**
 * The records for which the predicate holds. A type predicate narrows the stream's type.
 *
 * The result has no key: filter before `keyBy`.
 *
 * @example events.pipe(filter((e): e is Bid => e.kind === 'bid'))
 */
export function filter<T, S extends T, R = undefined>(
  predicate: (value: T, context: FunctionContext<R>) => value is S,
  options: DeadLetterOptions<R>,
): (input: Stream<T>) => StreamWithSides<S, { deadLetters: DeadLetter<T> }>;
export function filter<T, S extends T, R = undefined>(
  predicate: (value: T, context: FunctionContext<R>) => value is S,
  options?: FunctionOptions<R>,
): (input: Stream<T>) => Stream<S>;
export function filter<T, R = undefined>(
  predicate: (value: T, context: FunctionContext<R>) => boolean,
  options: DeadLetterOptions<R>,
): (input: Stream<T>) => StreamWithSides<T, { deadLetters: DeadLetter<T> }>;
export function filter<T, B, R = undefined>(
  predicate: ((value: T, context: FunctionContext<R>) => B) & NotPromise<B> & Answer<B>,
  options?: FunctionOptions<R>,
): (input: Stream<T>) => Stream<T>;
export function filter(
  predicate: (value: never, context: never) => boolean,
  // biome-ignore lint/suspicious/noExplicitAny: overloads above are what callers see
  options: FunctionOptions<any> = {},
): (input: Stream<unknown>) => never {
  return (input) => addInline(input, 'filter', predicate, options) as never;
}
