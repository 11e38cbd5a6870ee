import type { FunctionContext, FunctionLifecycle, OnError } from '@millrace/core/spi';

/** Options of the operators that call one function of the author's for each record. */
export interface FunctionOptions<R = undefined> extends FunctionLifecycle<R> {
  /** Names the operator in metrics, errors and graphs. Default: derived from its place. */
  readonly id?: string | undefined;
  /** What becomes of a record at which the function throws. Default `fail`. */
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
}

/** With `onError: 'deadLetter'` the operator has the side output `deadLetters`. */
export interface DeadLetterOptions<R = undefined> extends FunctionOptions<R> {
  readonly onError:
    | 'deadLetter'
    | { readonly action: 'deadLetter'; readonly ceiling?: number | undefined };
}

/**
 * `unknown` for plain results. For a promise a text that the compiler shows beside the function:
 * an async function in `map` would give promises as records.
 */
export type NotPromise<U> =
  U extends PromiseLike<unknown> ? 'this function returns a promise: use asyncMap' : unknown;

/** A function of a record, with a context if it asks for one. */
export type RecordFunction<T, U, R> = (value: T, context: FunctionContext<R>) => U;
