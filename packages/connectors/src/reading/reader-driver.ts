import type {
  Counter,
  Env,
  SinkContext,
  Source,
  SourceReader,
  Split,
  Storage,
} from '@millrace/core/spi';

/** Time that stands still until a test moves it. */
export interface ManualTime {
  readonly env: Env;
  advance(ms: number): void;
}

export function manualTime(): ManualTime {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly action: () => void }[] = [];
  return {
    env: {
      clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
      random: { next: () => 0.5 },
      scheduler: {
        yield: () => new Promise((resolve) => setImmediate(resolve)),
        after(delayMs, action) {
          const timer = { atMs: nowMs + delayMs, action };
          timers.push(timer);
          return {
            cancel: () => {
              timers = timers.filter((other) => other !== timer);
            },
          };
        },
      },
      log: { log: () => {} },
      storage: noStorage,
    },
    advance(ms) {
      nowMs += ms;
      const due = timers.filter(({ atMs }) => atMs <= nowMs);
      timers = timers.filter(({ atMs }) => atMs > nowMs);
      for (const { action } of due) action();
    },
  };
}

/** For what is not supposed to touch a disk through its Env. */
const noStorage = new Proxy({} as Storage, {
  get: (_target, name) => {
    throw new Error(`storage.${String(name)} is used, which this test does not have`);
  },
});

/** A context as the engine gives it, whose counters a test can read. */
export interface TestContext extends SinkContext {
  readonly counters: ReadonlyMap<string, { value: number }>;
}

export function testContext(env: Env = manualTime().env, parallelism = 1): TestContext {
  const counters = new Map<string, { value: number }>();
  const counter = (name: string): Counter => {
    const cell = counters.get(name) ?? { value: 0 };
    counters.set(name, cell);
    return {
      inc: (by = 1) => {
        cell.value += by;
      },
      get value() {
        return cell.value;
      },
    };
  };
  const metrics = { counter, gauge: () => {} };
  return {
    operatorId: 'in',
    subtask: 0,
    parallelism,
    env,
    metrics,
    log: env.log,
    job: 'job',
    checkpoints: 'off',
    restored: undefined,
    lineage: undefined,
    replay: 'refused',
    staging: undefined,
    counters,
  };
}

/** A record or bad input as it came: where from, and what. */
export interface Arrived {
  readonly split: string;
  readonly position: string | undefined;
  readonly value?: unknown;
  readonly bad?: string | undefined;
  readonly raw?: string | Uint8Array | undefined;
}

/** What a checkpoint holds of a source, as it comes back from its store. */
export interface SourceSnapshot {
  readonly enumerator: unknown;
  readonly splits: readonly Split[];
}

/** A reader with all splits of its source, or with those of a snapshot. */
export async function openReader<T>(
  source: Source<T>,
  context: TestContext = testContext(),
  restored?: readonly Split[],
): Promise<SourceReader<T>> {
  const snapshot = restored && { enumerator: 'done', splits: restored };
  return (await openSource(source, context, snapshot)).reader;
}

/** A reader as the engine opens it: with the splits of a snapshot and those found since. */
export async function openSource<T>(
  source: Source<T>,
  context: TestContext = testContext(),
  restored?: SourceSnapshot,
): Promise<{ readonly reader: SourceReader<T>; readonly snapshot: () => SourceSnapshot }> {
  const reader = source.createReader(context);
  await reader.open?.();
  const enumerator = source.createEnumerator(context, restored?.enumerator);
  const { splits } = await enumerator.discover();
  reader.addSplits([...(restored?.splits ?? []), ...splits]);
  reader.noMoreSplits();
  const snapshot = (): SourceSnapshot =>
    JSON.parse(JSON.stringify({ enumerator: enumerator.snapshot(), splits: reader.snapshot() }));
  return { reader, snapshot };
}

/** Reads on until the end, or until `chunksMax` chunks have come. */
export async function readOn<T>(
  reader: SourceReader<T>,
  max = 512,
  chunksMax = Infinity,
): Promise<{ readonly arrived: readonly Arrived[]; readonly hasEnded: boolean }> {
  const arrived: (Omit<Arrived, 'position'> & { readonly positionOf: () => string | undefined })[] =
    [];
  // Positions may be asked for long after the next poll.
  const placed = (): readonly Arrived[] =>
    arrived.map(({ positionOf, ...record }) => ({ ...record, position: positionOf() }));
  for (let chunks = 0; chunks < chunksMax; ) {
    const chunk = reader.poll(max);
    if (chunk === 'end') return { arrived: placed(), hasEnded: true };
    if (chunk === undefined) {
      await reader.available();
      continue;
    }
    chunks += 1;
    const { split, values, start, count, positionOf, bad = [] } = chunk;
    if (count + bad.length > max) throw new Error('a chunk is larger than asked for');
    for (let i = start; i < start + count; i += 1) {
      arrived.push({ split, positionOf: () => positionOf?.(i), value: values[i] });
    }
    for (const { error, raw, position } of bad) {
      arrived.push({ split, positionOf: () => position, bad: (error as Error).message, raw });
    }
  }
  return { arrived: placed(), hasEnded: false };
}

/** All that a source gives, record by record. */
export async function readAll<T>(source: Source<T>, max?: number): Promise<readonly Arrived[]> {
  const reader = await openReader(source);
  const { arrived } = await readOn(reader, max);
  await reader.close?.();
  return arrived;
}

/** The same, with a restart from the snapshot after each chunk, also the last. */
export async function readWithRestarts<T>(
  source: Source<T>,
  max: number,
): Promise<readonly Arrived[]> {
  const all: Arrived[] = [];
  let opened = await openSource(source);
  for (;;) {
    const { arrived, hasEnded } = await readOn(opened.reader, max, 1);
    all.push(...arrived);
    const snapshot = opened.snapshot();
    await opened.reader.close?.();
    if (hasEnded) return all;
    opened = await openSource(source, undefined, snapshot);
  }
}

export const valuesOf = (arrived: readonly Arrived[]): readonly unknown[] =>
  arrived.filter(({ bad }) => bad === undefined).map(({ value }) => value);
