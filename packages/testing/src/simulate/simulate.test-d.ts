import { defineJob } from '@millrace/core';
import { assertType, expectTypeOf, test } from 'vitest';
import type { SeededRandom } from '../simulation/seeded-random.js';
import { conserved } from './oracles/conserved.js';
import { exactlyOnce } from './oracles/exactly-once.js';
import type { Oracle } from './oracles/oracle.js';
import { simulate } from './simulate.js';
import type { SimulationOutputs, SimulationReport } from './simulate-options.js';

interface Click {
  readonly id: number;
  readonly page: string;
}

declare const clicks: readonly Click[];
const job = defineJob('clicks', { threshold: 3 }, () => undefined);

test('records have their types wherever they are looked at', () => {
  const report = simulate(job, {
    params: { threshold: 4 },
    input: {
      clicks,
      views: (random) => {
        expectTypeOf(random).toEqualTypeOf<SeededRandom>();
        return [{ at: random.whole(0, 9) }];
      },
    },
    splits: {
      clicks: (click) => {
        expectTypeOf(click).toEqualTypeOf<Click>();
        return click.page;
      },
      views: 2,
    },
    timestamps: { views: ({ at }) => at },
    expect: [
      exactlyOnce(),
      (outputs, input) => {
        expectTypeOf(outputs).toEqualTypeOf<SimulationOutputs>();
        expectTypeOf(input.clicks).toEqualTypeOf<readonly Click[]>();
        expectTypeOf(input.views[0]!.at).toEqualTypeOf<number>();
      },
    ],
  });
  expectTypeOf(report).toEqualTypeOf<Promise<SimulationReport>>();
});

test('the ids of records are the same in input and output', () => {
  assertType<Oracle>(conserved({ source: 'clicks', sinks: ['out'], id: (c: Click) => c.id }));
  assertType<Oracle>(
    conserved({
      source: 'clicks',
      sinks: { out: (row: { readonly ids: readonly number[] }) => row.ids },
      id: (c: Click) => c.id,
    }),
  );
  // @ts-expect-error: a click is no id
  conserved({ source: 'clicks', sinks: ['out'], id: (c: Click) => c });
});

test('mistakes in options', () => {
  // @ts-expect-error: input is missing
  simulate(job, {});
  // @ts-expect-error: no such kind of fault
  simulate(job, { input: { clicks }, faults: ['kil'] });
  // @ts-expect-error: threshold is a number
  simulate(job, { input: { clicks }, params: { threshold: '4' } });
  // @ts-expect-error: there is no input for views
  simulate(job, { input: { clicks }, splits: { views: 2 } });
  // @ts-expect-error: a click has no user
  simulate(job, { input: { clicks }, splits: { clicks: (click) => click.user } });
});
