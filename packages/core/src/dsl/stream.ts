import type { OutputRef } from '../graph/builder.js';
import type { DeadLetter } from '../spi/errors.js';
import type { Pipeable } from './pipe.js';

// The brands' names are advice: an error about a missing one says what to do. They are not
// exported, so no editor offers them.
declare const stream_makeOneWithJobSource: unique symbol;
declare const keyedStream_putKeyByBefore: unique symbol;
declare const windowedStream_putWindowBefore: unique symbol;

/** Records of type `T` in time. Made by `job.source` and by operators; immutable. */
export interface Stream<out T> extends Pipeable {
  readonly [stream_makeOneWithJobSource]: T;
}

/** A stream whose records have a key: what `keyBy` returns and keyed operators take. */
export interface KeyedStream<out T, out K> extends Stream<T> {
  readonly [keyedStream_putKeyByBefore]: K;
}

/** A keyed stream cut into windows; an aggregation makes it a stream again. */
export interface WindowedStream<out T, out K> extends Pipeable {
  readonly [windowedStream_putWindowBefore]: readonly [T, K];
}

/** A stream with side outputs: `s.side.late` is a stream. Consuming one creates its edge. */
export interface StreamWithSides<out T, out S> extends Stream<T> {
  readonly side: { readonly [N in keyof S]: Stream<S[N]> } & {};
}

/** What a source gives: records, and what could not become one. */
export interface SourceStream<out T>
  extends StreamWithSides<T, { readonly deadLetters: DeadLetter<T> }> {}

/** What `sinkTo` returns: the end of a pipe. */
export interface SinkHandle {
  readonly id: string;
}

const output: unique symbol = Symbol('millrace.output');

/** The one class behind all handles: where in the graph it stands, and `pipe`. */
class Handle {
  readonly [output]: unknown;
  readonly side: Readonly<Record<string, unknown>> | undefined;

  constructor(ref: unknown, side: Readonly<Record<string, unknown>> | undefined) {
    this[output] = ref;
    this.side = side;
  }

  pipe(...operators: readonly ((input: unknown) => unknown)[]): unknown {
    let result: unknown = this;
    for (const operator of operators) result = operator(result);
    return result;
  }
}

/** A handle for a node's output. For makers of operators; authors get handles from operators. */
export function streamOf<T>(ref: OutputRef): Stream<T> {
  return new Handle(ref, undefined) as unknown as Stream<T>;
}

/** A handle for an output that has a key. */
export function keyedStreamOf<T, K>(ref: OutputRef): KeyedStream<T, K> {
  return new Handle(ref, undefined) as unknown as KeyedStream<T, K>;
}

/** A handle for a node with side outputs. */
export function streamWithSidesOf<T, S>(
  ref: OutputRef,
  sides: readonly (keyof S & string)[],
): StreamWithSides<T, S> {
  const side = Object.fromEntries(
    sides.map((name) => [name, streamOf({ ...ref, port: name, partitioning: 'forward' })]),
  );
  return new Handle(ref, side) as unknown as StreamWithSides<T, S>;
}

/** A windowed handle; `window` is the maker's own. */
export function windowedStreamOf<T, K>(window: unknown): WindowedStream<T, K> {
  return new Handle(window, undefined) as unknown as WindowedStream<T, K>;
}

/** Where a stream stands in the graph. */
export function outputOf(stream: Stream<unknown>): OutputRef {
  return (stream as unknown as Handle)[output] as OutputRef;
}

/** What `windowedStreamOf` was given. */
export function windowOf(windowed: WindowedStream<unknown, unknown>): unknown {
  return (windowed as unknown as Handle)[output];
}
