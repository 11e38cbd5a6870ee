import type { Source } from '@millrace/core/spi';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expectTypeOf, test } from 'vitest';
import { jetstreamSource, type KvRecord, kvSource, natsSource } from '../index.js';

interface Payment {
  readonly card: string;
  readonly amount: number;
}
declare const schema: StandardSchemaV1<unknown, Payment>;

test('a schema says what a record is', () => {
  expectTypeOf(jetstreamSource({ stream: 'S', schema })).toEqualTypeOf<Source<Payment>>();
  expectTypeOf(natsSource({ subject: 's', schema })).toEqualTypeOf<Source<Payment>>();
  expectTypeOf(kvSource({ bucket: 'b', schema })).toEqualTypeOf<Source<KvRecord<Payment>>>();
});

test('so does a type, and without either it is unknown', () => {
  expectTypeOf(jetstreamSource<Payment>({ stream: 'S' })).toEqualTypeOf<Source<Payment>>();
  expectTypeOf(jetstreamSource({ stream: 'S' })).toEqualTypeOf<Source<unknown>>();
});

test('a map gets the value and its message, and makes the record', () => {
  const source = jetstreamSource({
    stream: 'S',
    schema,
    map: (payment, { subject, sequence }) => ({ ...payment, subject, sequence }),
  });
  expectTypeOf(source).toEqualTypeOf<
    Source<{ subject: string; sequence: number; card: string; amount: number }>
  >();
  // @ts-expect-error messages of core NATS have no sequence
  natsSource({ subject: 's', map: (_value, message) => message.sequence });
});

test('a codec of bytes and message says it, too', () => {
  const source = jetstreamSource({
    stream: 'S',
    codec: (data, { timeMs }) => data.length + timeMs,
  });
  expectTypeOf(source).toEqualTypeOf<Source<number>>();
});
