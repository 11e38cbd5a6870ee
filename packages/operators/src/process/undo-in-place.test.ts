import { defineJob, watermarks } from '@millrace/core';
import type { FoldingState, ListState, MapState, ValueState } from '@millrace/core/spi';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { expect, test } from 'vitest';
import {
  keyBy,
  keyedProcess,
  listState,
  mapState,
  reducingState,
  sinkTo,
  type,
  valueState,
} from '../index.js';

interface Box {
  n: number;
}

type Step = 'fill' | 'throw' | 'read';

const options = {
  copy: (box: Box): Box => ({ ...box }),
  ttl: { after: '1h', refreshOn: 'readAndWrite' },
} as const;

interface States {
  readonly value: ValueState<Box>;
  readonly list: ListState<Box>;
  readonly map: MapState<string, Box>;
  readonly reducing: FoldingState<Box, Box>;
  readonly writes: ListState<Box>;
}

const state = {
  value: valueState<Box>(options),
  list: listState<Box>(options),
  map: mapState<string, Box>(options),
  reducing: reducingState<Box>((into, { n }) => {
    into.n += n;
    return into;
  }, options),
  writes: listState<Box>({ copy: options.copy, ttl: { after: '1h' } }),
};

/** What becomes of a box per kind of state; `again` is called half an hour after `fill`. */
interface Actions {
  readonly fill: (states: States) => void;
  readonly again?: (states: States) => void;
  readonly change: (states: States) => void;
  readonly read: (states: States) => number | undefined;
}

const boxOf = {
  value: ({ value }: States) => value.get(),
  list: ({ list }: States) => list.get()[0],
  map: ({ map }: States) => map.get('k'),
  writes: ({ writes }: States) => writes.get()[0],
};

const changing = (box: (states: States) => Box | undefined): Omit<Actions, 'fill'> => ({
  change: (states) => {
    box(states)!.n = 99;
  },
  read: (states) => box(states)?.n,
});

const cases: Record<string, Actions> = {
  value: { fill: ({ value }) => value.set({ n: 1 }), ...changing(boxOf.value) },
  list: { fill: ({ list }) => list.add({ n: 1 }), ...changing(boxOf.list) },
  map: { fill: ({ map }) => map.set('k', { n: 1 }), ...changing(boxOf.map) },
  reducing: {
    fill: ({ reducing }) => reducing.add({ n: 1 }),
    change: ({ reducing }) => reducing.add({ n: 98 }),
    read: ({ reducing }) => reducing.get()?.n,
  },
  'list of which an element has expired': {
    fill: ({ writes }) => writes.add({ n: 7 }),
    again: ({ writes }) => writes.add({ n: 1 }),
    ...changing(boxOf.writes),
  },
};

const time = watermarks(() => 0, { step: 1, farFuture: 'off' });

test.each(Object.entries(cases))(
  'what a failing record changed in place is taken back, with a time to live: %s',
  async (_name, { fill, again, change, read }) => {
    const job = defineJob('undo', {}, (builder) => {
      builder
        .source('in', new ManualSource<Step | 'again'>(), time)
        .pipe(
          keyBy(() => 'a'),
          keyedProcess('p', {
            output: type<number | undefined>(),
            state,
            onError: 'skip',
            process(step: Step | 'again', context) {
              const { state: states } = context;
              if (step === 'fill') fill(states);
              else if (step === 'again') again?.(states);
              else if (step === 'read') context.emit(read(states));
              else {
                change(states);
                throw new RangeError('unlucky');
              }
            },
          }),
        )
        .pipe(sinkTo('out', new RecordingSink<number | undefined>()));
    });
    const driver = await driveJob(job);
    await driver.send('in', ['fill']);
    await driver.advanceTime(1_800_000);
    await driver.send('in', ['again']);
    await driver.advanceTime(again === undefined ? 1000 : 1_900_000);
    await driver.send('in', ['throw', 'read']);
    expect(driver.values('out')).toEqual([1]);
  },
);
