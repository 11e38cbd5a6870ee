import type {
  FoldingState,
  ListState,
  MapState,
  SortedMapState,
  ValueState,
} from '@millrace/core/spi';
import { expectTypeOf, test } from 'vitest';
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  sortedMapState,
  valueState,
} from './state.js';

type HandleOf<S> = S extends { readonly handle?: infer H } ? Exclude<H, undefined> : never;

test('declared state carries the type of its handle', () => {
  const value = valueState<{ n: number }>({
    version: 2,
    migrate: (stored, version) => ({ n: Number(stored) * version }),
    copy: ({ n }) => ({ n }),
    ttl: { after: '1d', time: 'event', refreshOn: 'readAndWrite', expired: 'visible' },
  });
  expectTypeOf<HandleOf<typeof value>>().toEqualTypeOf<ValueState<{ n: number }>>();
  const list = listState<string>();
  expectTypeOf<HandleOf<typeof list>>().toEqualTypeOf<ListState<string>>();
  const map = mapState<readonly [string, number], Date>();
  expectTypeOf<HandleOf<typeof map>>().toEqualTypeOf<MapState<readonly [string, number], Date>>();
  const sorted = sortedMapState<number, string>({ ttl: { after: 5 } });
  expectTypeOf<HandleOf<typeof sorted>>().toEqualTypeOf<SortedMapState<number, string>>();
  const sum = reducingState<number>((a, b) => a + b);
  expectTypeOf<HandleOf<typeof sum>>().toEqualTypeOf<FoldingState<number, number>>();
  const mean = aggregatingState({
    create: () => ({ sum: 0, n: 0 }),
    add: (a, value: number) => ({ sum: a.sum + value, n: a.n + 1 }),
    result: ({ sum, n }) => `${sum / n}`,
    copy: (a) => ({ ...a }),
  });
  expectTypeOf<HandleOf<typeof mean>>().toEqualTypeOf<FoldingState<number, string>>();
});

test('what cannot be is refused', () => {
  // @ts-expect-error a map's keys are keys
  mapState<{ id: number }, string>();
  // @ts-expect-error a map's keys are keys
  sortedMapState<undefined, string>();
  // @ts-expect-error no such unit
  valueState<number>({ ttl: { after: '5 days' } });
  // @ts-expect-error a copy is of the same type
  valueState<number>({ copy: (n) => `${n}` });
  // @ts-expect-error a migrated element is one
  listState<number>({ migrate: () => 'a' });
  // @ts-expect-error folds into the type of the values
  reducingState<number>((a, b) => `${a}${b}`);
});
