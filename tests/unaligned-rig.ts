import { csvSink, generator } from '@millrace/connectors';
import { defineJob, type JobBuilder, type JobDefinition, watermarks } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import {
  aggregate,
  connect,
  count,
  flatMap,
  keyBy,
  map,
  process,
  session,
  sinkTo,
  sum,
  tumbling,
  type,
  union,
  valueState,
  window,
} from '@millrace/operators';
import type { CheckpointReport } from '@millrace/runtime';
import type { DurableProcess } from './durable-rig.js';

interface Order {
  readonly id: number;
  readonly shop: number;
  readonly amount: number;
  readonly at: number;
}

const startMs = Date.UTC(2020, 0, 1);

const ordersOf = (seed: number, total: number, stepMs: number) =>
  generator<Order>({
    seed,
    count: total,
    create: (id, random) => ({
      id,
      shop: Math.floor(random.next() * 40),
      amount: Math.round(random.next() * 1_000),
      at: startMs + id * stepMs - Math.floor(random.next() * 900),
    }),
  });

/** A sink that takes so long for each batch, in the time of its job. */
export function slow<T>(sink: Sink<T>, msPerBatch: number): Sink<T> {
  return {
    ...sink,
    createWriter(context) {
      const inner = sink.createWriter(context);
      const methods = ['open', 'flush', 'prepare', 'committed', 'finish', 'close'] as const;
      const own = methods.flatMap((name) => {
        const method = inner[name] as ((argument: never) => Promise<never>) | undefined;
        return method === undefined ? [] : [[name, method.bind(inner)] as const];
      });
      return {
        ...Object.fromEntries(own),
        write: async (batch) => {
          await new Promise<void>((resolve) => context.env.scheduler.after(msPerBatch, resolve));
          await inner.write(batch);
        },
      };
    },
  };
}

export interface SlowJobOptions {
  readonly total: number;
  /** Of the sink that gets every record. */
  readonly msPerBatch: number;
  /** Subtasks by operator. */
  readonly parallelism?: Readonly<Record<string, number>> | undefined;
  /**
   * Whether some records are late. Which are, is the same in every run only where watermarks do not
   * wait behind records on their way to several subtasks. Default: none.
   */
  readonly late?: 'some' | 'none' | undefined;
  /** Whether the union is there. Default yes. */
  readonly union?: 'with' | 'without' | undefined;
  readonly onOrder?: ((order: Order) => void) | undefined;
}

/**
 * Windows with late records, sessions, a process over two inputs, a union and a side output, behind
 * sources that one slow sink holds back. How records of the two sources meet changes nothing.
 */
export function slowJob(folder: string, options: SlowJobOptions): JobDefinition {
  const { total, msPerBatch, parallelism = {}, onOrder } = options;
  const isLate = options.late === 'some';
  const of = (id: string) => ({ parallelism: parallelism[id] });
  const csv = (id: string, columns: readonly string[]) =>
    csvSink({ path: `${folder}/${id}-{subtask}.csv`, columns });
  const out = (id: string, columns: readonly string[], ms = 0) =>
    sinkTo<object>(id, ms === 0 ? csv(id, columns) : slow(csv(id, columns), ms), of(id));
  return defineJob('slow', {}, (job: JobBuilder) => {
    const read = (id: string, seed: number, many: number, stepMs: number) =>
      job.source(
        id,
        ordersOf(seed, many, stepMs),
        watermarks((o) => o.at, { outOfOrderness: isLate ? '700ms' : '1s', farFuture: 'off' }),
        { parallelism: 1 },
      );
    const orders = read('orders', 1, total, 5);
    const returns = read('returns', 2, Math.floor(total / 4), 20);
    const byShop = orders.pipe(keyBy((o) => o.shop));
    const spend = byShop.pipe(
      window('spend', tumbling('1s'), of('spend')),
      aggregate({ n: count(), spent: sum((o) => o.amount) }),
    );
    spend.pipe(
      map(({ key, n, spent, window: { end } }) => ({ key, n, spent, end })),
      out('windows', ['key', 'n', 'spent', 'end'], msPerBatch / 4),
    );
    spend.side.late.pipe(
      map(({ id, at }) => ({ id, at })),
      out('late', ['id', 'at']),
    );
    byShop.pipe(
      window('bursts', session('300ms'), of('bursts')),
      aggregate({ n: count() }),
      map(({ key, n, window: { start, end } }) => ({ key, n, start, end })),
      out('sessions', ['key', 'n', 'start', 'end']),
    );
    const both = byShop.pipe(
      connect('both', returns.pipe(keyBy((o) => o.shop)), {
        output: type<{ by: string; id: number; shop: number; seen: number }>(),
        state: { left: valueState<number>(), right: valueState<number>() },
        processLeft(o, ctx) {
          onOrder?.(o);
          const seen = (ctx.state.left.get() ?? 0) + 1;
          ctx.state.left.set(seen);
          ctx.emit({ by: 'order', id: o.id, shop: o.shop, seen });
        },
        processRight(o, ctx) {
          const seen = (ctx.state.right.get() ?? 0) + 1;
          ctx.state.right.set(seen);
          ctx.emit({ by: 'return', id: o.id, shop: o.shop, seen });
        },
        ...of('both'),
      }),
    );
    const split = both.pipe(
      process('split', {
        output: type<{ by: string; id: number; seen: number }>(),
        side: { round: type<{ by: string; id: number }>() },
        process(o, ctx) {
          ctx.emit({ by: o.by, id: o.id, seen: o.seen });
          if (o.id % 10 === 0) ctx.side.round({ by: o.by, id: o.id });
        },
      }),
    );
    split.side.round.pipe(out('round', ['by', 'id']));
    const plain = orders.pipe(flatMap((o) => [{ by: 'plain', id: o.id, seen: 0 }]));
    const all = options.union === 'without' ? split : split.pipe(union(plain));
    all.pipe(out('all', ['by', 'id', 'seen'], msPerBatch));
  });
}

/** Records of which each becomes many, and windows that fire many results, behind a slow sink. */
export function wideJob(folder: string, msPerBatch: number): JobDefinition {
  const rowsPerRecord = 1_500;
  const out = (id: string, columns: readonly string[]) =>
    sinkTo<object>(
      id,
      slow(csvSink({ path: `${folder}/${id}-{subtask}.csv`, columns }), msPerBatch),
    );
  const numbers = generator<{ n: number; at: number }>({
    seed: 4,
    count: 24,
    create: (n) => ({ n, at: startMs + n * 100 }),
  });
  return defineJob('wide', {}, (job: JobBuilder) => {
    const rows = job
      .source(
        'numbers',
        numbers,
        watermarks((r) => r.at, { farFuture: 'off' }),
        { parallelism: 1 },
      )
      .pipe(flatMap(({ n }) => Array.from({ length: rowsPerRecord }, (_, k) => ({ n, k }))));
    rows.pipe(
      keyBy((r) => r.k),
      window('add', tumbling('800ms')),
      aggregate({ n: count(), all: sum((r) => r.n) }),
      map(({ key, n, all, window: { end } }) => ({ key, n, all, end })),
      out('sums', ['key', 'n', 'all', 'end']),
    );
    rows.pipe(out('rows', ['n', 'k']));
  });
}

/** Lets virtual time pass until `until` says so or the job has ended. */
export async function passIn(
  { env, handle }: DurableProcess,
  stepMs: number,
  until: () => boolean | Promise<boolean> = () => false,
): Promise<void> {
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
  };
  handle.done.then(end, end);
  for (let steps = 0; !hasEnded && !(await until()); steps += 1) {
    if (steps > 50_000) throw new Error('the job does not come to an end');
    env.advance(stepMs);
    for (let i = 0; i < 6; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lines without the number of the subtask that wrote them, and without headers. */
export const merged = (lines: readonly string[]): string[] =>
  lines
    .map((line) => line.replace(/-\d+\.csv: /, ': '))
    .filter((line) => !/: [a-z,]*$/.test(line))
    .sort();

/** The reports of a job's checkpoints, each once, as they come. */
export class Reports {
  readonly all = new Map<number, CheckpointReport>();

  take({ handle }: DurableProcess): void {
    for (const report of handle.progress().checkpoints?.history ?? []) {
      this.all.set(report.checkpoint, report);
    }
  }

  get committed(): readonly CheckpointReport[] {
    return [...this.all.values()].filter(({ error }) => error === undefined);
  }
}
