import { csvSink, generator } from '@millrace/connectors';
import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import {
  broadcastState,
  connectBroadcast,
  fork,
  keyBy,
  keyedConnectBroadcast,
  sinkTo,
  type,
  valueState,
} from '@millrace/operators';
import { beforeAll, describe, expect, test } from 'vitest';
import { diskForJobs, linesOf, pass, start } from './durable-rig.js';

interface Payment {
  readonly card: number;
  readonly at: number;
}
interface Rule {
  readonly name: number;
  readonly limit: number;
  readonly at: number;
}

const startMs = Date.UTC(2020, 0, 1);
const order = { outOfOrderness: '1s', farFuture: 'off' } as const;

const payments = generator<Payment>({
  seed: 7,
  count: 4_000,
  ratePerSecond: 2_000,
  create: (id, random) => ({
    card: Math.floor(random.next() * 20),
    at: startMs + id * 5 - Math.floor(random.next() * 900),
  }),
});

const rules = generator<Rule>({
  seed: 8,
  count: 400,
  ratePerSecond: 200,
  create: (id, random) => ({
    name: Math.floor(random.next() * 12),
    limit: Math.round(random.next() * 4_000),
    at: startMs + id * 50,
  }),
});

const told = csvSink({ path: '/out/told.csv', columns: ['name', 'all'] });
const checks = csvSink({ path: '/out/checks.csv', columns: ['card', 'at', 'n', 'rules'] });
const counts = csvSink({ path: '/out/counts.csv', columns: ['name', 'n'] });

/**
 * How payments and rules mix is not the same in every run, the output is: a payment waits for its
 * time and is then held against the rules of that time, and what the updates leave depends on
 * updates alone. Some of them fail and are left out.
 */
const rulesJob = defineJob('rules', {}, (job) => {
  const updates = job.source(
    'rules',
    rules,
    watermarks((r) => r.at, order),
  );
  const input = job.source(
    'payments',
    payments,
    watermarks((p) => p.at, order),
  );
  input.pipe(
    keyBy((p) => p.card),
    keyedConnectBroadcast('check', updates, {
      output: type<{ card: number; at: number; n: number; rules: string }>(),
      side: { told: type<{ name: number; all: string }>() },
      onError: { action: 'skip', ceiling: 1 },
      broadcast: {
        history: broadcastState<number, Rule>(),
        newest: broadcastState<number, number>(),
      },
      state: { fired: valueState<number>() },
      process: (p, ctx) => ctx.timers.check.set(p.at),
      onEventTime: {
        check(at, ctx) {
          const n = (ctx.state.fired.get() ?? 0) + 1;
          ctx.state.fired.set(n);
          const known = [...ctx.broadcast.history.entries()].map(([, rule]) => rule);
          const valid = known.filter((rule) => rule.at <= at).slice(-12);
          const broken = valid.filter(({ name, limit }) => (limit + name) % 7 === ctx.key % 7);
          ctx.emit({ card: ctx.key, at, n, rules: broken.map(({ name }) => name).join(' ') });
        },
      },
      processBroadcast(rule, ctx) {
        const { history, newest } = ctx.broadcast;
        history.set(rule.at, rule);
        if (rule.limit % 40 === 0) newest.clear();
        if (rule.limit % 3 === 0) newest.delete(rule.name);
        else newest.set(rule.name, rule.limit);
        if (rule.limit % 11 === 0) throw new RangeError('this update is left out');
        ctx.side.told({ name: rule.name, all: [...newest.entries()].flat().join(' ') });
      },
    }),
    fork((s) => s.side.told.pipe(sinkTo('told', told))),
    sinkTo('checks', checks),
  );
  input.pipe(
    connectBroadcast('count', updates, {
      output: type<{ name: number; n: number }>(),
      broadcast: { counts: broadcastState<number, number>() },
      process: () => undefined,
      processBroadcast({ name }, ctx) {
        const n = (ctx.broadcast.counts.get(name) ?? 0) + 1;
        ctx.broadcast.counts.set(name, n);
        ctx.emit({ name, n });
      },
    }),
    sinkTo('counts', counts),
  );
});

let undisturbed: string[];

beforeAll(async () => {
  const disk = await diskForJobs();
  const process = start(disk, rulesJob);
  await pass(process);
  await process.handle.done;
  undisturbed = await linesOf(disk);
});

const inFile = (file: string): readonly string[] =>
  undisturbed.filter((line) => line.startsWith(`${file}.csv`));

describe('a job with broadcast state', () => {
  test('gives results of all kinds', () => {
    expect(inFile('checks').length).toBeGreaterThan(3_000);
    expect(inFile('checks').filter((line) => / \d/.test(line)).length).toBeGreaterThan(1_000);
    expect(inFile('counts')).toHaveLength(402);
    expect(inFile('told').length).toBeGreaterThan(300);
    expect(inFile('told').length).toBeLessThan(390);
  });

  test('gives the same without generated code, and without checkpoints in between', async () => {
    const disk = await diskForJobs();
    const process = start(disk, rulesJob, {
      codegen: 'off',
      checkpoints: { folder: '/checkpoints', interval: '1h' },
    });
    await pass(process);
    await process.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test.each([1, 2, 3, 4])('gives the same where it is killed again and again: %i', async (seed) => {
    const disk = await diskForJobs();
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    let resumed = 0;
    for (let cut = 0; cut < 6; cut += 1) {
      const process = start(disk, rulesJob);
      const until = process.env.nowMs + 50 + random() * 500;
      await pass(process, () => process.env.nowMs >= until);
      disk.powerCut({ next: random });
      if ((await Promise.race([process.handle.resumed, undefined])) !== undefined) resumed += 1;
    }
    const last = start(disk, rulesJob);
    await pass(last);
    await last.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
    expect(resumed).toBeGreaterThan(2);
  });
});

type Declared = ReturnType<typeof broadcastState<number, number>>;

/** Keeps the rules in each of the states that are declared, and tells the last of what is there. */
const keeping = (broadcast: Readonly<Record<string, Declared>>): JobDefinition =>
  defineJob('keeping', {}, (job) => {
    const updates = job.source(
      'rules',
      rules,
      watermarks((r) => r.at, order),
    );
    job
      .source(
        'payments',
        payments,
        watermarks((p) => p.at, order),
      )
      .pipe(
        connectBroadcast('keep', updates, {
          output: type<{ name: number; n: number }>(),
          broadcast,
          process: () => undefined,
          processBroadcast({ name }, ctx) {
            for (const state of Object.values(ctx.broadcast)) {
              state.set(name, (state.get(name) ?? 0) + 1);
              ctx.emit({ name, n: state.get(name)! });
            }
          },
        }),
        sinkTo('counts', counts),
      );
  });

describe('a job whose broadcast state is declared another way than before', () => {
  const one = broadcastState<number, number>();
  const next = broadcastState<number, number>({ version: 2 });

  /** Runs a job until it has a checkpoint with rules in it, and then another one instead. */
  async function changed(job: JobDefinition, allowStateChange: readonly string[] = []) {
    const disk = await diskForJobs();
    const before = start(disk, keeping({ one }));
    await pass(before, () => before.handle.progress().recordsIn > 2_000);
    const stopping = before.handle.stopWithSavepoint('stop', 'suspend');
    await pass(before);
    await stopping;
    const after = start(disk, job, {
      checkpoints: { folder: '/checkpoints', allowStateChange },
    });
    await pass(after);
    return { done: after.handle.done, lines: () => linesOf(disk) };
  }

  test.each([
    ['gone', keeping({}), /keep: one: broadcast is stored and would be dropped/],
    ['new', keeping({ one, two: one }), /keep: two: broadcast is not stored/],
    ['of another version', keeping({ one: next }), /keep: one: version 1 is stored, 2 declared/],
  ])('is refused: %s', async (_what, job, text) => {
    const { done } = await changed(job);
    await expect(done).rejects.toMatchObject({ code: 'ERR_STATE_INCOMPATIBLE', operator: 'keep' });
    await expect(done).rejects.toThrow(text);
  });

  test('goes on with values that are migrated', async () => {
    const migrate = (stored: unknown, version: number): number => Number(stored) + version * 1_000;
    const { done, lines } = await changed(
      keeping({ one: broadcastState<number, number>({ version: 2, migrate }) }),
    );
    await done;
    const ends = (await lines()).map((line) => Number(line.split(',')[1]));
    expect(ends.filter((n) => n > 1_001).length).toBeGreaterThan(100);
    expect(ends.filter((n) => n > 2_000)).toEqual([]);
  });

  test('begins with an empty one where that is allowed', async () => {
    const { done, lines } = await changed(keeping({ two: one }), ['keep']);
    await done;
    expect((await lines()).filter((line) => line.endsWith(',1')).length).toBeGreaterThan(12);
  });
});
