import { csvSink, generator } from '@millrace/connectors';
import type { JobDefinition } from '@millrace/core';
import { defineJob, watermarks } from '@millrace/core';
import {
  aggregate,
  count,
  keyBy,
  keyedProcess,
  mapState,
  session,
  sinkTo,
  sliding,
  sum,
  type,
  valueState,
  window,
} from '@millrace/operators';
import { type JobHandle, type RunOptions, run } from '@millrace/runtime';
import { SimulatedDisk, type VirtualEnv, virtualEnv } from '@millrace/testing';

/** A record of the jobs in these tests. */
export interface Payment {
  readonly id: number;
  readonly card: number;
  readonly amount: number;
  readonly at: number;
}

/** Hook called for each payment, to make it fail. */
export type OnPayment = (payment: Payment) => void;

const startMs = Date.UTC(2020, 0, 1);
const perSecond = 2_000;

/**
 * Payments of 40 cards with some disorder; the same ones each time. One split: how several mix is
 * not the same after a restart, and sums of what came last depend on it.
 */
const payments = (total: number, ratePerSecond: number | undefined = perSecond) =>
  generator<Payment>({
    seed: 3,
    count: total,
    ratePerSecond,
    create: (id, random) => ({
      id,
      card: Math.floor(random.next() * 40),
      amount: Math.round(random.next() * 1_000),
      at: startMs + id * 5 - Math.floor(random.next() * 900),
    }),
  });

/** Windows, sessions, timers and maps, each with a file of its own in `folder`. */
export function paymentsJob(
  folder: string,
  total: number,
  onPayment: OnPayment = () => undefined,
): JobDefinition {
  return defineJob('payments', {}, (job) => {
    const cards = job
      .source(
        'payments',
        payments(total),
        watermarks((p) => p.at, { outOfOrderness: '1s', farFuture: 'off' }),
      )
      .pipe(keyBy((p) => p.card));
    cards.pipe(
      window('spend', sliding('4s', '1s')),
      aggregate({ n: count(), spent: sum((p) => p.amount) }),
      sinkTo('windows', csvSink({ path: `${folder}/windows.csv`, columns: ['key', 'n', 'spent'] })),
    );
    cards.pipe(
      window('bursts', session('300ms'), { allowedLateness: '1s' }),
      aggregate({ n: count() }),
      sinkTo('sessions', csvSink({ path: `${folder}/sessions.csv`, columns: ['key', 'n'] })),
    );
    cards.pipe(
      keyedProcess('watch', {
        output: type<{ card: number; id: number; sum: number; seen: number }>(),
        state: { total: valueState<number>(), amounts: mapState<number, number>() },
        process(p, ctx) {
          onPayment(p);
          ctx.state.total.set((ctx.state.total.get() ?? 0) + p.amount);
          ctx.state.amounts.set(p.amount % 7, p.id);
          ctx.timers.rest.clear();
          ctx.timers.rest.set(p.at + 150);
        },
        onEventTime: {
          rest(at, ctx) {
            const seen = [...ctx.state.amounts.entries()].reduce((all, [k, v]) => all + k * v, 0);
            ctx.emit({ card: ctx.key, id: at, sum: ctx.state.total.get()!, seen });
            ctx.state.amounts.delete(3);
          },
        },
      }),
      sinkTo(
        'rests',
        csvSink({ path: `${folder}/rests.csv`, columns: ['card', 'id', 'sum', 'seen'] }),
      ),
    );
  });
}

/** A process on a disk that outlives it. */
export interface DurableProcess {
  readonly env: VirtualEnv;
  readonly handle: JobHandle;
}

const checkpoints = { folder: '/checkpoints', interval: '100ms' } as const;

/** A disk with the folders that jobs write to. */
export async function diskForJobs(capacityBytes?: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ capacityBytes });
  await disk.makeFolder('/out');
  return disk;
}

let processes = 0;

/** Starts a job as a process of its own. */
export function start(
  disk: SimulatedDisk,
  job: JobDefinition,
  options: Partial<RunOptions> = {},
): DurableProcess {
  processes += 1;
  const storage = disk.process(`process-${processes}`);
  const env = virtualEnv({ storage, seed: processes });
  const { checkpoints: own, ...others } = options;
  const handle = run(job, { env, checkpoints: { ...checkpoints, ...own }, ...others });
  return { env, handle };
}

/** Lets virtual time pass, in steps, until `until` says so or the job has ended. */
export async function pass(
  { env, handle }: DurableProcess,
  until: () => boolean = () => false,
  stepsMax = 2_000,
): Promise<void> {
  let hasEnded = false;
  handle.done.then(
    () => {
      hasEnded = true;
    },
    () => {
      hasEnded = true;
    },
  );
  for (let steps = 0; !hasEnded && !until(); steps += 1) {
    if (steps > stepsMax) throw new Error('the job does not come to an end');
    env.advance(20);
    for (let i = 0; i < 6; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The sorted lines of the files in a folder. */
export async function linesOf(disk: SimulatedDisk, folder = '/out'): Promise<string[]> {
  const names = (await disk.list(folder)).filter((name) => !name.startsWith('.'));
  const texts = await Promise.all(
    names.map(async (name) => new TextDecoder().decode(await disk.read(`${folder}/${name}`))),
  );
  return texts.flatMap((text, i) => text.split('\n').map((line) => `${names[i]}: ${line}`)).sort();
}
