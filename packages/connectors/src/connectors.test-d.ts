import type { Sink, Source } from '@millrace/core/spi';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Subject } from 'rxjs';
import { expectTypeOf, test } from 'vitest';
import {
  type CollectSink,
  collectSink,
  csvSink,
  csvSource,
  fromArray,
  fromIterable,
  fromObservable,
  generator,
  ndjsonSource,
  stdinSource,
} from './index.js';

interface Payment {
  readonly card: string;
  readonly amount: number;
}
declare const schema: StandardSchemaV1<unknown, Payment>;

test('columns say what a record is', () => {
  const source = csvSource({
    path: 'in.csv',
    columns: { amount: 'number', at: 'integer', fraud: 'boolean', id: 'string', note: 'string?' },
  });
  expectTypeOf(source).toEqualTypeOf<
    Source<{
      readonly amount: number;
      readonly at: number;
      readonly fraud: boolean;
      readonly id: string;
      readonly note: string | null;
    }>
  >();
  // @ts-expect-error no such type of column
  csvSource({ path: 'in.csv', columns: { amount: 'float' } });
});

test('without columns a record is texts, with a schema what that says', () => {
  expectTypeOf(csvSource({ path: 'in.csv' })).toEqualTypeOf<
    Source<Readonly<Record<string, string>>>
  >();
  expectTypeOf(csvSource({ path: 'in.csv', schema })).toEqualTypeOf<Source<Payment>>();
  expectTypeOf(csvSource({ path: 'in.csv', columns: { amount: 'number' }, schema })).toEqualTypeOf<
    Source<Payment>
  >();
});

test('JSON is unknown unless a schema or the caller says more', () => {
  expectTypeOf(ndjsonSource({ path: 'in.ndjson' })).toEqualTypeOf<Source<unknown>>();
  expectTypeOf(ndjsonSource({ path: 'in.ndjson', schema })).toEqualTypeOf<Source<Payment>>();
  expectTypeOf(ndjsonSource<Payment>({ path: 'in.ndjson' })).toEqualTypeOf<Source<Payment>>();
});

test('standard input is typed by its format', () => {
  expectTypeOf(stdinSource({ format: 'lines' })).toEqualTypeOf<Source<string>>();
  expectTypeOf(stdinSource({ format: 'ndjson', schema })).toEqualTypeOf<Source<Payment>>();
  expectTypeOf(stdinSource({ format: 'csv', columns: { n: 'integer' } })).toEqualTypeOf<
    Source<{ readonly n: number }>
  >();
});

test('records in memory keep their type', () => {
  expectTypeOf(fromArray([{ card: 'a', amount: 5 }])).toEqualTypeOf<
    Source<{ card: string; amount: number }>
  >();
  expectTypeOf(fromIterable(() => new Set([1]))).toEqualTypeOf<Source<number>>();
  expectTypeOf(generator({ seed: 1, create: (index) => ({ index }) })).toEqualTypeOf<
    Source<{ index: number }>
  >();
  expectTypeOf(
    fromObservable(() => new Subject<Payment>(), { bufferMax: 1, onOverflow: 'fail' }),
  ).toEqualTypeOf<Source<Payment>>();
  // @ts-expect-error what to do on overflow must be said
  fromObservable(() => new Subject<Payment>(), { bufferMax: 1 });
});

test('sinks say what they accept', () => {
  expectTypeOf(collectSink<Payment>()).toEqualTypeOf<CollectSink<Payment>>();
  expectTypeOf(collectSink<Payment>().records).toEqualTypeOf<readonly Payment[]>();
  const sink = csvSink({ path: 'out.csv', columns: ['card', 'amount'] });
  expectTypeOf(sink).toExtend<Sink<Payment>>();
  expectTypeOf(sink).not.toExtend<Sink<{ readonly card: string; readonly sum: number } & string>>;
});
