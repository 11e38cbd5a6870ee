import { fromArray } from '@millrace/connectors';
import { defineJob, type Stream } from '@millrace/core';
import {
  aggregate,
  collect,
  flatMap,
  keyBy,
  map,
  process,
  rebalance,
  sinkTo,
  tumbling,
  type,
  window,
} from '@millrace/operators';
import { run } from '@millrace/runtime';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';

/** What no other slot could read. */
const tagged = (n: number) => ({ n, deep: { tag: () => n } });

const numbers = Array.from({ length: 5_000 }, (_, n) => n);

const mapped = map(tagged, { id: 'tags' });
const split = process('tags', {
  output: type<ReturnType<typeof tagged>>(),
  side: { odd: type<ReturnType<typeof tagged>>() },
  process: (n: number, ctx) => ctx.side.odd(tagged(n)),
});
const through = map(<T>(value: T): T => value, { id: 'after' });

test.each<[string, (s: Stream<number>) => Stream<unknown>]>([
  ['a step', (s) => s.pipe(mapped, rebalance(), through)],
  [
    'a factory',
    (s) =>
      s.pipe(
        flatMap((n) => [tagged(n)], { id: 'tags' }),
        rebalance(),
        through,
      ),
  ],
  ['a side output', (s) => s.pipe(split).side.odd.pipe(rebalance(), through)],
  [
    'keys and columns',
    (s) =>
      s.pipe(
        mapped,
        keyBy(({ n }) => n),
        window('w', tumbling(10), { preAggregate: 'off' }),
        aggregate({ deep: collect(({ deep }) => deep) }),
      ),
  ],
])('a record that cannot leave its slot names whose output it is: %s', async (_name, of) => {
  const job = defineJob('unsendable', {}, (builder) => {
    of(builder.source('in', fromArray(numbers))).pipe(sinkTo('out', new RecordingSink()));
  });
  const { done } = run(job, { env: virtualEnv(), slots: 2, checkRecords: 'off' });
  await expect(done).rejects.toMatchObject({
    code: 'ERR_UNSERIALISABLE_VALUE',
    operator: 'tags',
    field: expect.stringContaining('tag'),
  });
});
