import type { DeadLetter, Stream, StreamWithSides } from '@millrace/core/spi';
import type {
  DeadLetterOptions,
  FunctionOptions,
  NotPromise,
  RecordFunction,
} from './function-options.js';
import { addInline } from './inline.js';

/**
 * One record for each record.
 *
 * @param fn must be synchronous; called with a context where it declares a second parameter
 * @example payments.pipe(map((p) => ({ card: p.card, euros: p.cents / 100 })))
 */
export function map<T, U, R = undefined>(
  fn: RecordFunction<T, U, R> & NotPromise<U>,
  options: DeadLetterOptions<R>,
): (input: Stream<T>) => StreamWithSides<U, { deadLetters: DeadLetter<T> }>;
export function map<T, U, R = undefined>(
  fn: RecordFunction<T, U, R> & NotPromise<U>,
  options?: FunctionOptions<R>,
): (input: Stream<T>) => Stream<U>;
export function map(
  fn: (value: never, context: never) => unknown,
  // biome-ignore lint/suspicious/noExplicitAny: overloads above are what callers see
  options: FunctionOptions<any> = {},
): (input: Stream<unknown>) => never {
  return (input) => addInline(input, 'map', fn, options) as never;
}
