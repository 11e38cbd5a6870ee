import { csvSink, generator } from '@millrace/connectors';
import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import type { ListState, ValueState } from '@millrace/core/spi';
import {
  keyBy,
  keyedProcess,
  listState,
  mapState,
  sinkTo,
  type TtlOptions,
  type,
  valueState,
} from '@millrace/operators';
import type { SimulatedDisk } from '@millrace/testing';
import { expect, test } from 'vitest';
import { diskForJobs, linesOf, pass, start } from './durable-rig.js';

const numbers = generator({
  seed: 1,
  count: 4_000,
  ratePerSecond: 2_000,
  create: (n) => ({ n, at: n }),
});

const keys = 40;

/** In between only half of the keys come. */
const keyOf = (n: number): number => (n >= 1_000 && n < 2_000 ? n % (keys / 2) : n % keys);

/** How an operator keeps a count, and what it declares for that. */
interface Counting {
  readonly declare: () => Readonly<Record<string, ReturnType<typeof valueState<number>>>>;
  readonly next: (state: Readonly<Record<string, unknown>>) => number;
}

const inValue = (name: string): Counting => ({
  declare: () => ({ [name]: valueState<number>() }),
  next(state) {
    const count = state[name] as ValueState<number>;
    count.set((count.get() ?? 0) + 1);
    return count.get()!;
  },
});

const inList = (name: string): Counting => ({
  declare: () => ({ [name]: listState<number>() }) as never,
  next(state) {
    const list = state[name] as ListState<number>;
    list.add(1);
    return list.get().length;
  },
});

/** Counts what came of each key since the operator has had its state. */
const counting = ({ declare, next }: Counting): JobDefinition =>
  defineJob('counting', {}, (job) => {
    job
      .source(
        'numbers',
        numbers,
        watermarks((r) => r.at),
      )
      .pipe(
        keyBy(({ n }) => keyOf(n)),
        keyedProcess('count', {
          output: type<{ n: number; count: number }>(),
          state: declare(),
          process: ({ n }, ctx) => ctx.emit({ n, count: next(ctx.state) }),
        }),
        sinkTo('counts', csvSink({ path: '/out/counts.csv', columns: ['n', 'count'] })),
      );
  });

/** Runs one job after another on the same checkpoints; counts by number of the last one. */
async function counts(jobs: readonly Counting[]): Promise<ReadonlyMap<number, number>> {
  const disk = await diskForJobs();
  for (const [at, job] of jobs.entries()) {
    const process = start(disk, counting(job), {
      checkpoints: { folder: '/checkpoints', allowStateChange: ['count'] },
    });
    const isLast = at === jobs.length - 1;
    await pass(process, () => !isLast && process.handle.progress().recordsIn > 500);
    if (isLast) await process.handle.done;
    else {
      const stopping = process.handle.stopWithSavepoint(`stop-${at}`, 'suspend');
      await pass(process);
      await stopping;
    }
  }
  const rows = (await linesOf(disk)).map((line) => /(\d+),(\d+)$/.exec(line));
  return new Map(rows.flatMap((row) => (row === null ? [] : [[Number(row[1]), Number(row[2])]])));
}

/** Numbers at which the count of a key starts anew, in order. */
const starts = (found: ReadonlyMap<number, number>): readonly number[] =>
  [...found]
    .filter(([, count]) => count === 1)
    .map(([n]) => n)
    .sort((a, b) => a - b);

test.each([
  ['of another name, and the old one again', [inValue('a'), inValue('b'), inValue('a')]],
  ['of another kind', [inValue('a'), inList('a')]],
  ['of another kind, and the old one again', [inValue('a'), inList('a'), inValue('a')]],
])('state that was dropped with permission stays gone: %s', async (_what, jobs) => {
  const found = await counts(jobs);
  expect(found.size).toBe(4_000);
  const last = starts(found).slice(-keys);
  expect(new Set(last.map(keyOf)).size).toBe(keys);
  expect(last[0]).toBeGreaterThan(500 * (jobs.length - 1));
});

test('also where the state of the old name was not written since for some keys', async () => {
  const found = await counts([inValue('a'), inValue('b'), inValue('a'), inValue('a')]);
  const late = starts(found).filter((n) => n >= 2_000);
  expect(late.map(keyOf)).toEqual(Array.from({ length: keys / 2 }, (_, i) => keys / 2 + i));
});

/** Keeps for each key what it was first, and what `migrate` has made of it since. */
const keeping = (version: number, migrates: 'migrates' | 'as it is') =>
  defineJob('counting', {}, (job) => {
    const migrate = (stored: unknown, from: number): string => `${stored} ${from}→${version}`;
    const options = { version, ...(migrates === 'migrates' && { migrate }) };
    job
      .source(
        'numbers',
        numbers,
        watermarks((r) => r.at),
      )
      .pipe(
        // Most keys come at first and at last only.
        keyBy(({ n }) => n % (n >= 500 && n < 3_000 ? 4 : keys)),
        keyedProcess('keep', {
          output: type<{ n: number; was: string }>(),
          state: { was: valueState<string>(options) },
          process({ n }, ctx) {
            const { was } = ctx.state;
            was.set(was.get() ?? 'first');
            ctx.emit({ n, was: was.get()! });
          },
        }),
        sinkTo('kept', csvSink({ path: '/out/kept.csv', columns: ['n', 'was'] })),
      );
  });

test.each<[string, JobDefinition, string]>([
  ['by a job of that version without migrate', keeping(2, 'as it is'), 'first 1→2'],
  ['by migrate of the next version, from that one', keeping(3, 'migrates'), 'first 1→2 2→3'],
])('values that were migrated are read %s', async (_how, last, expected) => {
  const disk = await diskForJobs();
  const checkpoints = { folder: '/checkpoints' };
  for (const [at, job] of [keeping(1, 'as it is'), keeping(2, 'migrates')].entries()) {
    const process = start(disk, job, { checkpoints });
    await pass(process, () => process.handle.progress().recordsIn > 600);
    const stopping = process.handle.stopWithSavepoint(`stop-${at}`, 'suspend');
    await pass(process);
    await stopping;
  }
  const process = start(disk, last, { checkpoints });
  await pass(process);
  await process.handle.done;
  const kept = (await linesOf(disk)).map((line) => /(\d+),(.+)$/.exec(line));
  const late = kept.filter((row) => Number(row?.[1]) >= 3_000).map((row) => row![2]);
  expect([late.length, [...new Set(late)]]).toEqual([1_000, [expected]]);
});

/** Counts numbers, with ids of its ends that may change. */
const ends = (source: string, sink: string): JobDefinition =>
  defineJob('counting', {}, (job) => {
    const input = job.source(
      source,
      numbers,
      watermarks((r) => r.at),
    );
    input.pipe(
      keyBy(({ n }) => n % 2),
      keyedProcess('count', {
        output: type<{ n: number; count: number }>(),
        state: { count: valueState<number>() },
        process({ n }, ctx) {
          ctx.state.count.set((ctx.state.count.get() ?? 0) + 1);
          ctx.emit({ n, count: ctx.state.count.get()! });
        },
      }),
      sinkTo(sink, csvSink({ path: '/out/counts.csv', columns: ['n', 'count'] })),
    );
  });

/** A disk with a job that has counted some numbers and was stopped with a savepoint. */
async function stoppedJob(): Promise<SimulatedDisk> {
  const disk = await diskForJobs();
  const { env, handle } = start(disk, ends('numbers', 'counts'));
  await pass({ env, handle }, () => handle.progress().recordsIn > 600);
  const stopping = handle.stopWithSavepoint('stop');
  await pass({ env, handle });
  await stopping;
  return disk;
}

test.each<[string, JobDefinition, string, string]>([
  ['a source', ends('renamed', 'counts'), 'numbers', 'source: positions are stored'],
  ['a sink with output', ends('numbers', 'renamed'), 'counts', 'sink: output is stored'],
])('%s that is not there any more is told, and may be allowed', async (_what, job, id, why) => {
  const disk = await stoppedJob();

  const refused = start(disk, job);
  await pass(refused);
  await expect(refused.handle.done).rejects.toMatchObject({
    code: 'ERR_STATE_INCOMPATIBLE',
    operator: id,
    detail: expect.stringContaining(`${id}: ${why}`),
  });

  const allowed = start(disk, job, {
    checkpoints: { folder: '/checkpoints', allowStateChange: [id] },
  });
  await pass(allowed, () => allowed.handle.progress().recordsIn > 0);
  expect(allowed.handle.progress()).toMatchObject({ status: 'running', attempts: 1 });
  await allowed.handle.cancel();
});

test('what is refused of a savepoint leaves a new folder as it was', async () => {
  const disk = await stoppedJob();
  const checkpoints = { folder: '/elsewhere', from: '/checkpoints/savepoints/stop' };
  const refused = start(disk, ends('renamed', 'counts'), { checkpoints });
  await pass(refused);
  await expect(refused.handle.done).rejects.toMatchObject({ code: 'ERR_STATE_INCOMPATIBLE' });
  const allowed = start(disk, ends('renamed', 'counts'), {
    checkpoints: { ...checkpoints, allowStateChange: ['numbers'] },
  });
  await pass(allowed, () => allowed.handle.progress().recordsIn > 0);
  expect(allowed.handle.progress()).toMatchObject({ status: 'running', attempts: 1 });
  await allowed.handle.cancel();
});

/** Keeps something of each key at its beginning; says much later whether it is still there. */
const remembering = (ttl: TtlOptions | undefined): JobDefinition =>
  defineJob('counting', {}, (job) => {
    const isLater = (n: number): boolean => n >= 2_300 && n < 2_300 + keys;
    job
      .source(
        'numbers',
        numbers,
        watermarks((r) => r.at, { farFuture: 'off' }),
      )
      .pipe(
        keyBy(({ n }) => (n < 400 || isLater(n) ? n % keys : -1)),
        keyedProcess('keep', {
          output: type<{ n: number; left: string }>(),
          state: {
            value: valueState<number>({ ttl }),
            list: listState<number>({ ttl }),
            map: mapState<string, number>({ ttl }),
          },
          process({ n }, ctx) {
            const { value, list, map } = ctx.state;
            if (isLater(n)) {
              ctx.emit({ n, left: `${value.get()} ${list.get().length} ${map.get('a')}` });
            } else if (n < keys) {
              value.set(1);
              list.add(1);
              map.set('a', 1);
            }
          },
        }),
        sinkTo('kept', csvSink({ path: '/out/kept.csv', columns: ['n', 'left'] })),
      );
  });

const [kept, gone] = ['1 1 1', 'undefined 0 undefined'];
const byClock: TtlOptions = { after: '1h' };
const byEvents = (after: TtlOptions['after']): TtlOptions => ({ after, time: 'event' });

test.each<[string, readonly (TtlOptions | undefined)[], string]>([
  ['as they were where only the duration differs', [byEvents('1h'), byEvents('1500ms')], gone],
  ['anew where there was none', [undefined, undefined, byEvents('1500ms')], kept],
  ['anew where it was taken away meanwhile', [byEvents('1h'), undefined, byEvents('1500ms')], kept],
  ['anew where they were of event time', [byEvents('1h'), byClock], kept],
  ['anew where they were of event time before that', [byEvents('1h'), byClock, byClock], kept],
  ['anew where they were of the clock', [byClock, byEvents('1200ms')], gone],
])('times to live count %s', async (_how, ttls, expected) => {
  const disk = await diskForJobs();
  for (const [at, ttl] of ttls.entries()) {
    const process = start(disk, remembering(ttl), { checkpoints: { folder: '/checkpoints' } });
    const isLast = at === ttls.length - 1;
    await pass(process, () => !isLast && process.handle.progress().recordsIn > 500);
    const ending = isLast
      ? process.handle.done
      : process.handle.stopWithSavepoint(`stop-${at}`, 'suspend');
    await pass(process);
    await ending;
  }
  const left = (await linesOf(disk)).flatMap((line) => /\d+,(.+\d.*)$/.exec(line)?.[1] ?? []);
  expect([left.length, [...new Set(left)]]).toEqual([keys, [expected]]);
});
