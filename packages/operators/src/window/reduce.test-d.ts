import type { Stream, WindowedStream } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';
import { reduce } from './reduce.js';

interface Reading {
  readonly unit: 'C' | 'F';
}
declare const readings: WindowedStream<Reading, string>;

test('the type of records is that of the stream, whatever the function gives', () => {
  const thrown = readings.pipe(
    reduce(() => {
      throw new Error();
    }),
  );
  expectTypeOf(thrown.side.late).toEqualTypeOf<Stream<Reading>>();
  const celsius = readings.pipe(reduce(() => ({ unit: 'C' })));
  expectTypeOf(celsius.side.late).toEqualTypeOf<Stream<Reading>>();
  // @ts-expect-error no reading
  readings.pipe(reduce(() => ({ unit: 'K' })));
  // @ts-expect-error a promise of one
  readings.pipe(reduce(async (a) => a));
});
