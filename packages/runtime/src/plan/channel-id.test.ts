import { fromArray } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import {
  aggregate,
  broadcast,
  connect,
  count,
  keyBy,
  map,
  sinkTo,
  tumbling,
  type,
  union,
  window,
} from '@millrace/operators';
import { RecordingSink } from '@millrace/testing';
import { expect, test } from 'vitest';
import { channelIdOf, channelName } from './channel-id.js';
import { planPhysically } from './physical-plan.js';

/** Keyed edges that several operators read, one of them in two phases, and one edge read twice. */
const job = defineJob('ids', {}, (builder) => {
  const numbers = builder.source('numbers', fromArray([1, 2, 3]));
  const keyed = numbers.pipe(
    map((n) => n + 1),
    keyBy((n) => n % 5),
  );
  const wide = keyed.pipe(window('wide', tumbling('1s')), aggregate({ n: count() }));
  const late = keyed.pipe(window('late', tumbling('1s')), aggregate({ n: count() }));
  late.side.late.pipe(sinkTo('missed', new RecordingSink<number>()));
  wide.pipe(union(late), union(wide), sinkTo('out', new RecordingSink<unknown>()));
  const bad = keyed.pipe(window('bad', tumbling('1s'), { onError: 'deadLetter' }), aggregate({}));
  bad.side.deadLetters.pipe(sinkTo('dead', new RecordingSink<unknown>()));
  const both = keyed.pipe(
    connect('both', numbers.pipe(keyBy((n) => n)), {
      output: type<number>(),
      onError: 'deadLetter',
      processLeft: () => undefined,
      processRight: () => undefined,
    }),
  );
  both.side.deadLetters.pipe(
    broadcast(),
    map((d) => d, { id: 'letters' }),
    sinkTo('letters-out', new RecordingSink<unknown>()),
  );
  keyed.pipe(
    map((n) => n, { id: 'moved' }),
    sinkTo('moved-out', new RecordingSink<number>()),
  );
}).build();

test.each([
  { fusion: 'on', phases: 'on', slots: 1 },
  { fusion: 'on', phases: 'on', slots: 3 },
  { fusion: 'off', phases: 'off', slots: 2 },
  { fusion: 'off', phases: 'on', slots: 2, parallelism: 5 },
] as const)('every channel has a name of its own: %j', (options) => {
  const plan = planPhysically(job, options);
  const names = plan.channels.map((channel) => channelName(channelIdOf(plan, channel)));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(5);
});

test('names do not depend on the number of slots', () => {
  const names = (slots: number): string[] => {
    const plan = planPhysically(job, { fusion: 'on', phases: 'on', slots, parallelism: 2 });
    return plan.channels.map((channel) => channelName(channelIdOf(plan, channel)));
  };
  expect(names(3)).toEqual(names(1));
});
