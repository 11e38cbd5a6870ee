import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import type { Sink, Source } from '@millrace/core/spi';
import { keyBy, keyedProcess, map, sinkTo, type, valueState } from '@millrace/operators';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManualSource } from '../manual-source.js';
import { RecordingSink } from '../recording-sink.js';
import { conserved } from './oracles/conserved.js';
import { orderIndependent } from './oracles/exactly-once.js';
import { simulate } from './simulate.js';
import type { SimulateOptions } from './simulate-options.js';
import { SimulationFailure } from './simulation-failure.js';

interface Click {
  readonly id: number;
  readonly user: string;
  readonly at: number;
}

const clicks: readonly Click[] = Array.from({ length: 30 }, (_, id) => ({
  id,
  user: `user-${id % 3}`,
  at: Date.UTC(2026, 0, 1) + id * 100,
}));

const source = (): Source<Click> => new ManualSource<Click>();
const sink = (): Sink<unknown> => new RecordingSink<unknown>();
const times = watermarks((c: Click) => c.at);

type Options = SimulateOptions<Record<never, never>, { readonly clicks: readonly Click[] }>;

async function failureOf(
  job: JobDefinition,
  options: Omit<Options, 'input'> = {},
): Promise<SimulationFailure> {
  const failure = await simulate(job, { input: { clicks }, ...options }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof SimulationFailure) return failure;
  throw failure ?? new Error('nothing was found');
}

/** A job of one function of a click. */
const jobOf = (name: string, fn: (click: Click) => unknown): JobDefinition =>
  defineJob(name, {}, (job) => {
    job.source('clicks', source(), times).pipe(
      map((c: Click) => fn(c), { id: 'step' }),
      sinkTo('out', sink()),
    );
  });

describe('state outside of the state API is found', () => {
  const visits = defineJob('visits', {}, (job) => {
    const seen = new Map<string, number>();
    job.source('clicks', source(), times).pipe(
      keyBy((c) => c.user),
      keyedProcess('visits', {
        output: type<{ readonly user: string; readonly n: number }>(),
        process(c, ctx) {
          const n = (seen.get(c.user) ?? 0) + 1;
          seen.set(c.user, n);
          ctx.emit({ user: c.user, n });
        },
      }),
      sinkTo('out', sink()),
    );
  });

  test('in a closure, with a message that helps', async () => {
    const { message, oracle, seed } = await failureOf(visits);
    expect(oracle).toBe('exactlyOnce');
    expect(message).toMatch(/^job visits, seed \d+: exactlyOnce does not hold:\nsink out: \d+ row/);
    expect(message).toMatch(/ {2}(missing|doubled|not expected): {"n":\d+,"user":"user-\d"}/);
    expect(message).toContain('It differs only with faults');
    expect(message).toMatch(/Smallest case found: faults: \w+; \d slots?; \d of 30 records/);
    expect(message).toMatch(/p2: goes on from (checkpoint \d+|the beginning), in \d slot/);
    expect(message).toContain(`seeds: [${seed}]`);
  });

  test('by the same message when its seed is run alone', async () => {
    const first = await failureOf(visits, { faults: ['kill', 'functionThrows'] });
    const again = await failureOf(visits, {
      faults: ['kill', 'functionThrows'],
      seeds: [first.seed],
    });
    expect(again.message).toBe(first.message);
  });

  test('but not where it is state', async () => {
    const right = defineJob('visits', {}, (job) => {
      job.source('clicks', source(), times).pipe(
        keyBy((c) => c.user),
        keyedProcess('visits', {
          output: type<{ readonly user: string; readonly n: number }>(),
          state: { n: valueState<number>() },
          process(c, ctx) {
            const n = (ctx.state.n.get() ?? 0) + 1;
            ctx.state.n.set(n);
            ctx.emit({ user: c.user, n });
          },
        }),
        sinkTo('out', sink()),
      );
    });
    await simulate(right, { input: { clicks }, seeds: 30 });
  });

  test('in a variable of the module', async () => {
    const users = new Set<string>();
    const firsts = jobOf('firsts', ({ user }) => {
      const isFirst = !users.has(user);
      users.add(user);
      return { user, isFirst };
    });
    const { message } = await failureOf(firsts);
    expect(message).toContain('keeps something in a variable of its module');
  });
});

describe('dependence on order is found', () => {
  const ranks = defineJob('ranks', {}, (job) => {
    job.source('clicks', source(), times).pipe(
      keyBy((c) => c.user),
      keyedProcess('ranks', {
        output: type<{ readonly id: number; readonly before: number | undefined }>(),
        state: { last: valueState<number>() },
        process({ id }, ctx) {
          ctx.emit({ id, before: ctx.state.last.get() });
          ctx.state.last.set(id);
        },
      }),
      sinkTo('out', sink()),
    );
  });

  test('of records in several splits', async () => {
    const { oracle, message } = await failureOf(ranks, {
      splits: { clicks: 2 },
      expect: [orderIndependent()],
    });
    expect(oracle).toBe('orderIndependent');
    expect(message).toContain('the order in which records of several\nsplits');
    expect(message).toMatch(/no faults; 1 slot; [2-4] of 30 records/);
  });

  test('also while faults are looked for', async () => {
    const { message } = await failureOf(ranks, { splits: { clicks: 2 } });
    expect(message).toContain('It differs without faults, too');
  });

  test('and there is none in one split', async () => {
    await simulate(ranks, { input: { clicks }, seeds: 10, expect: [orderIndependent()] });
  });
});

describe('functions that give something else each time are found', () => {
  test.each([
    ['Math.random', jobOf('random', ({ id }) => ({ id, sample: Math.random() < 0.5 }))],
    ['Date.now', jobOf('now', ({ id }) => ({ id, at: Date.now() }))],
    ['new Date', jobOf('date', ({ id }) => ({ id, day: new Date().toISOString() }))],
  ])('%s', async (_name, job) => {
    const { message, seed } = await failureOf(job);
    expect(seed).toBe(1);
    expect(message).toContain('a function asks the clock or randomness');
    expect((await failureOf(job)).message).toBe(message);
  });

  test('and the clock is the right one afterwards', async () => {
    await failureOf(jobOf('now', () => Date.now()));
    expect(Math.abs(Date.now() - performance.timeOrigin - performance.now())).toBeLessThan(60_000);
  });
});

describe('effects outside of sinks are found', () => {
  const written: Click[] = [];
  beforeEach(() => {
    written.length = 0;
  });
  const beforeRun = (): void => {
    written.length = 0;
  };

  test('of a function that writes to an array', async () => {
    const job = jobOf('outside', (click) => {
      written.push(click);
      return click.id;
    });
    const { oracle, message } = await failureOf(job, {
      beforeRun,
      expect: [
        function eachOnce(_outputs, input) {
          expect(written.map(({ id }) => id).sort()).toEqual(
            input.clicks.map(({ id }) => id).sort(),
          );
        },
      ],
    });
    expect(oracle).toBe('eachOnce');
    expect(message).toContain('p2: goes on from');
  });

  test('of a process function that is its own at-least-once sink', async () => {
    const table = new Map<string, number>();
    const totals = defineJob('totals', {}, (job) => {
      job.source('clicks', source(), times).pipe(
        keyBy((c) => c.user),
        keyedProcess('totals', {
          output: type<{ readonly id: number; readonly stored: number }>(),
          process(c, ctx) {
            // UPDATE totals SET n = n + 1: done again after a failure.
            table.set(c.user, (table.get(c.user) ?? 0) + 1);
            ctx.emit({ id: c.id, stored: 1 });
          },
        }),
        sinkTo('out', sink()),
      );
    });
    const { message } = await failureOf(totals, {
      beforeRun: () => table.clear(),
      expect: [
        conserved({ source: 'clicks', sinks: ['out'], id: (c: { readonly id: number }) => c.id }),
        () => expect([...table.values()].reduce((sum, n) => sum + n, 0)).toBe(clicks.length),
      ],
    });
    expect(message).toContain('the custom oracle does not hold');
  });

  test('of a function that leaves records out', async () => {
    let calls = 0;
    const leaky = defineJob('leaky', {}, (job) => {
      job.source('clicks', source(), times).pipe(
        keyBy((c) => c.user),
        keyedProcess('leaky', {
          output: type<Click>(),
          process(c, ctx) {
            calls += 1;
            if (calls !== 17) ctx.emit(c);
          },
        }),
        sinkTo('out', sink()),
      );
    });
    const { message } = await failureOf(leaky, {
      beforeRun: () => {
        calls = 0;
      },
      expect: [conserved({ source: 'clicks', sinks: ['out'], id: (c: Click) => c.id })],
    });
    expect(message).toMatch(/record \d+ of clicks is in no sink/);
  });
});

test('a job that fails without faults says so', async () => {
  const job = jobOf('poisoned', ({ id }) => {
    if (id === 7) throw new RangeError('seven');
    return id;
  });
  const { message } = await failureOf(job);
  expect(message).toMatch(/^job poisoned fails without faults in one slot: .*seven/);
  const unasked = await failureOf(job, { expect: [() => undefined] });
  expect(unasked.message).toMatch(/^job poisoned fails with seed 1:\n.*seven/);
});
