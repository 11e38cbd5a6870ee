import type { ErrorPolicy, FunctionContext, FunctionLifecycle, OnError } from '@millrace/core/spi';

/** Options of the operators that call one function of the author's for each record. */
export interface FunctionOptions<R = undefined> extends FunctionLifecycle<R> {
  /** Names the operator in metrics, errors and graphs. Default: derived from its place. */
  readonly id?: string | undefined;
  /** What becomes of a record at which the function throws. Default `fail`. */
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
}

/** With a policy that makes dead letters the operator has the side output `deadLetters`. */
export interface DeadLetterOptions<R = undefined> extends FunctionOptions<R> {
  readonly onError:
    | 'deadLetter'
    | (ErrorPolicy & { readonly action: 'deadLetter' })
    | (ErrorPolicy & { readonly action: 'retry'; readonly otherwise: 'deadLetter' });
}

/**
 * `unknown` for plain results, also for `any` and `never`. For a promise, also as a member of a
 * union, a text that the compiler shows beside the function: an async function in `map` would give
 * promises as records.
 */
export type NotPromise<U> =
  true extends IsPromise<U> ? 'this function returns a promise: use asyncMap' : unknown;

/**
 * Answers for each member of a union; `never` has none, so it is compared with `true` above, where
 * no answer is no promise: a function that throws, or gives `[]`, must have a type that fits.
 * `any` and `unknown` are asked for first, in tuples: so the compiler sees ahead that a type
 * parameter may be no promise, and takes `map((x) => x)` in a generic composite.
 */
type IsPromise<U> = [unknown] extends [U] ? false : U extends PromiseLike<unknown> ? true : false;

/** A function of a record, with a context if it asks for one. */
export type RecordFunction<T, U, R> = (value: T, context: FunctionContext<R>) => U;
