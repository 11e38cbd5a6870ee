import { generator } from '@millrace/connectors';
import {
  type DeadLetter,
  defineJob,
  type JobBuilder,
  type JobDefinition,
  type Stream,
  watermarks,
} from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import {
  broadcast,
  filter,
  flatMap,
  keyBy,
  map,
  process,
  sinkTo,
  type,
  union,
} from '@millrace/operators';
import { actionOf, keyed, mix, moved, notToAll, policyOf, refuse } from './random-graph-edges.js';
import { addStateful } from './random-graph-keyed.js';
import type { GraphPlan, Item, SourcePlan, StepPlan, Way } from './random-graph-plan.js';

const startMs = Date.UTC(2020, 0, 1);

/** Streams of more rows than this are thinned out: unions of unions grow fast. */
const rowsMax = 1_500;

/** Subtasks of what everything is sent to: the same in all runs, since each gets every record. */
const copies = { parallelism: 2 } as const;

/** A stream, with about as many rows as it has at most. */
interface Sized {
  readonly stream: Stream<Item>;
  readonly rows: number;
}

export interface GraphOptions {
  readonly sink: (id: string) => Sink<Row>;
  /** Subtasks of operators, in turn. Default: those of the run. */
  readonly parallelism?: readonly number[] | undefined;
  /** Records a second of each source; default: as fast as they are taken. */
  readonly rate?: number | undefined;
}

/** What sinks get. */
export type Row = Item | DeadLetter<Item>;

/** A job as planned. */
export const graphJob = (plan: GraphPlan, options: GraphOptions): JobDefinition =>
  defineJob('graph', {}, (builder) => new GraphBuilder(plan, options, builder).build());

/** A row of a sink as text; dead letters without where and what they were called. */
export function textOf(sink: string, row: Row): string {
  const item = 'error' in row ? { ...asItem(row), code: row.error.code } : row;
  return `${sink}: ${JSON.stringify(item)}`;
}

/** Of a dead letter the record that it is about. */
const asItem = ({ record }: DeadLetter<Item>): Item => ({
  ...record!,
  id: mix(record!.id, 77),
});

export class GraphBuilder {
  private readonly plan: GraphPlan;
  private readonly options: GraphOptions;
  private readonly job: JobBuilder;
  private readonly streams: Sized[] = [];
  private readonly consumed = new Set<number>();
  private operators = 0;

  constructor(plan: GraphPlan, options: GraphOptions, job: JobBuilder) {
    this.plan = plan;
    this.options = options;
    this.job = job;
  }

  build(): void {
    for (const [at, source] of this.plan.sources.entries()) this.addSource(source, at);
    for (const [at, step] of this.plan.steps.entries()) this.addStep(step, at);
    const tapped = new Set(this.plan.tapped.map((at) => at % this.streams.length));
    for (const at of this.streams.keys()) {
      if (!this.consumed.has(at) || tapped.has(at)) this.addSink(at);
    }
  }

  /** How many subtasks the next operator has. */
  next(way: Way = 'asIs'): { readonly parallelism?: number | undefined } {
    const { parallelism } = this.options;
    this.operators += 1;
    if (way === 'broadcast') return copies;
    return { parallelism: parallelism?.[this.operators % parallelism.length] };
  }

  /** Puts side outputs where other operators find them, or in sinks, or nowhere. */
  addSide(id: string, stream: Stream<Item>, rows: number, sides: number): void {
    if ((sides & 1) !== 0) this.streams.push({ stream, rows });
    if ((sides & 2) === 0) return;
    stream.pipe(this.sinkTo(`${id}-side`));
  }

  /** Consumes dead letters in up to four ways. */
  addDead(id: string, dead: Stream<DeadLetter<Item>>, rows: number, sides: number): void {
    const push = (stream: Stream<Item>, times = 1): void => {
      this.streams.push({ stream, rows: rows * times });
    };
    if ((sides & 4) !== 0) push(dead.pipe(map(asItem, { id: `${id}-dead`, ...this.next() })));
    if ((sides & 8) !== 0) {
      const keyed = dead.pipe(keyBy(({ record }) => record!.id % 3));
      push(keyed.pipe(flatMap((d) => [asItem(d)], { id: `${id}-dead-keyed`, ...this.next() })));
    }
    if ((sides & 16) !== 0) dead.pipe(this.sinkTo(`${id}-dead-sink`));
    if ((sides & 20) === 20) {
      const all = dead.pipe(broadcast(), map(asItem, { id: `${id}-dead-all`, ...copies }));
      push(all, copies.parallelism);
    }
  }

  private sinkTo(id: string, way: Way = 'asIs'): (stream: Stream<Row>) => unknown {
    return sinkTo(id, this.options.sink(id), this.next(way));
  }

  private addSource({ count, splits, stepMs, disorderMs }: SourcePlan, at: number): void {
    const records = generator<Item>({
      seed: at,
      count,
      splits,
      ratePerSecond: this.options.rate,
      create: (index, random) => ({
        id: index * 10 + at,
        value: Math.floor(random.next() * 1_000),
        at: startMs + index * stepMs - Math.floor(random.next() * disorderMs),
      }),
    });
    const time = watermarks<Item>((r) => r.at, {
      outOfOrderness: disorderMs + 1,
      farFuture: 'off',
    });
    const stream = this.job.source(`source-${at}`, records, time, this.next());
    this.streams.push({ stream, rows: count });
  }

  private addSink(at: number): void {
    const id = `sink-${at}`;
    const way = this.plan.sinkWays[at % this.plan.sinkWays.length]!;
    const { stream } = this.streams[at]!;
    moved(stream, way, 'string').pipe(this.sinkTo(id, way));
  }

  private take(from: number): Sized {
    const at = from % this.streams.length;
    this.consumed.add(at);
    return this.streams[at]!;
  }

  private addStep(step: StepPlan, at: number): void {
    const id = `step-${at}-${step.kind}`;
    const from = this.take(step.from);
    const other = step.kind === 'union' || isTwoInput(step) ? this.take(step.other) : undefined;
    const all = from.rows + (other?.rows ?? 0);
    if (all > rowsMax) {
      const thin = filter(({ id: own }: Item) => own % 8 === 3, { id, ...this.next() });
      this.streams.push({ stream: from.stream.pipe(thin), rows: from.rows / 4 });
    } else if (isStateful(step)) {
      const stream = addStateful(this, step, id, from, other);
      this.streams.push({ stream, rows: all * 4 });
    } else this.addStateless(step, id, from, other);
  }

  private addStateless(step: StepPlan, id: string, from: Sized, other: Sized | undefined): void {
    const { kind, way, otherWay, key } = step;
    if (kind === 'union' || kind === 'handle') {
      // A handle is no operator: the edges that leave it have the way.
      const handle = moved(from.stream, notToAll(way), key);
      const second = other && moved(other.stream, notToAll(otherWay), key);
      const stream = second === undefined ? handle : handle.pipe(union(second));
      this.streams.push({ stream, rows: from.rows + (other?.rows ?? 0) });
      return;
    }
    const input =
      kind === 'flatMap' && way === 'key' ? keyed(from.stream, step) : moved(from.stream, way, key);
    const rows = from.rows * (way === 'broadcast' ? copies.parallelism : 1);
    const stream =
      kind === 'process'
        ? this.addProcess(step, id, input, rows)
        : this.addFunction(step, id, input);
    this.addDeadOf(stream, step, id, rows);
    this.streams.push({ stream, rows: rows * 2 });
  }

  /**
   * No key function throws ahead of a map or filter: where records stay in one place, these
   * ask for no keys, and with several subtasks they do.
   */
  private addFunction(step: StepPlan, id: string, input: Stream<Item>): Stream<Item> {
    const { kind, way, form, refuses } = step;
    const options = { id, ...this.next(way), ...policyOf(step) };
    const checked = refuses === 'nothing' ? (item: Item): Item => item : refuse;
    if (kind === 'map') {
      return input.pipe(map((r) => ({ ...checked(r), id: mix(r.id, form) }), options));
    }
    if (kind === 'filter')
      return input.pipe(filter((r) => checked(r).id % 4 !== form % 4, options));
    const rowsOf = (r: Item): readonly Item[] =>
      Array.from({ length: mix(r.id, form) % 3 }, (_, part) => ({
        ...checked(r),
        id: mix(r.id, part),
      }));
    return input.pipe(flatMap(rowsOf, options));
  }

  /** @param output of an operator whose policy is the step's */
  addDeadOf(output: Stream<Item>, step: StepPlan, id: string, rows: number): void {
    if (step.refuses === 'nothing' || actionOf(step) !== 'deadLetter') return;
    const { side } = output as Stream<Item> & {
      readonly side: { readonly deadLetters: Stream<DeadLetter<Item>> };
    };
    this.addDead(id, side.deadLetters, rows, step.sides);
  }

  private addProcess(step: StepPlan, id: string, input: Stream<Item>, rows: number): Stream<Item> {
    const output = input.pipe(
      process(id, {
        output: type<Item>(),
        side: { odd: type<Item>() },
        ...this.next(step.way),
        ...policyOf(step),
        process(r: Item, ctx) {
          if (r.id % 3 === 0) ctx.side.odd({ ...r, value: -r.value });
          ctx.emit({ ...(step.refuses === 'nothing' ? r : refuse(r)), id: mix(r.id, 5) });
        },
      }),
    );
    this.addSide(id, output.side.odd, rows, step.sides);
    return output;
  }
}

const isTwoInput = ({ kind }: StepPlan): boolean =>
  kind === 'connect' || kind === 'updated' || kind === 'keyedUpdated';

const isStateful = (step: StepPlan): boolean =>
  isTwoInput(step) || step.kind === 'window' || step.kind === 'keyedProcess';
