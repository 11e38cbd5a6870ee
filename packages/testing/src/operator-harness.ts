import type { Pipeable, Stream, StreamWithSides } from '@millrace/core';
import { defineJob, watermarks } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { driveJob, type JobDriver } from './job-driver.js';
import { ManualSource } from './manual-source.js';
import { printable } from './printable.js';
import { RecordingSink, type SunkRecord } from './recording-sink.js';

/** One step of a script: a record, a move of processing time, or a wait for all to settle. */
export type ScriptStep<T> =
  | { readonly record: T; readonly at: number }
  | { readonly advanceMs: number };

export interface HarnessOptions {
  /** How far behind the newest record the watermark is, ms. Default 0. */
  readonly outOfOrdernessMs?: number | undefined;
  /** Side outputs to record beside the main one. */
  readonly sides?: readonly string[] | undefined;
}

/** What an operator gave for a script, in one way of running it. */
export interface HarnessResult<U> {
  readonly main: readonly SunkRecord<U>[];
  readonly sides: Readonly<Record<string, readonly SunkRecord[]>>;
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A way of running: how input is cut, whether outputs are refused, with or without codegen. */
interface Variation {
  readonly name: string;
  readonly cuts: () => number;
  readonly sinks: 'prompt' | 'reluctant';
  readonly codegen: 'on' | 'off';
}

function variations(): readonly Variation[] {
  const sizes: readonly [string, () => () => number][] = [
    ['all at once', () => () => Infinity],
    ['one by one', () => () => 1],
    ['by threes', () => () => 3],
    ['in growing chunks', () => growing()],
  ];
  return sizes.flatMap(([name, cuts]) =>
    (['prompt', 'reluctant'] as const).flatMap((sinks) =>
      (['on', 'off'] as const).map((codegen) => ({
        name: `${name}, ${sinks} sinks, codegen ${codegen}`,
        cuts: cuts(),
        sinks,
        codegen,
      })),
    ),
  );
}

function growing(): () => number {
  let size = 0;
  return () => {
    size = (size % 7) + 1;
    return size;
  };
}

type Piece<T, U> = (input: Stream<T>) => Pipeable & Stream<U>;

/**
 * Runs a piece of a pipeline over a script in every way that must not matter: input cut
 * everywhere, outputs refused in the middle, with and without generated code. All ways must give
 * the same result.
 *
 * After Hazelcast Jet's `TestSupport`.
 *
 * @throws Error naming the way that differs, with both results
 * @example
 * const { main } = await runOperator(
 *   (s: Stream<Payment>) => s.pipe(keyBy((p) => p.card), window('w', tumbling('1m')), aggregate({ n: count() })),
 *   [{ record: payment, at: 0 }],
 * );
 */
export async function runOperator<T, U>(
  piece: Piece<T, U>,
  script: readonly ScriptStep<T>[],
  options: HarnessOptions = {},
): Promise<HarnessResult<U>> {
  let first: { readonly name: string; readonly result: HarnessResult<U> } | undefined;
  for (const variation of variations()) {
    const result = await runOnce(piece, script, options, variation);
    if (first === undefined) first = { name: variation.name, result };
    else assertSame(first, { name: variation.name, result });
  }
  return first!.result;
}

async function runOnce<T, U>(
  piece: Piece<T, U>,
  script: readonly ScriptStep<T>[],
  options: HarnessOptions,
  variation: Variation,
): Promise<HarnessResult<U>> {
  const sides = options.sides ?? [];
  const job = defineJob('harness', {}, (builder) => {
    const strategy = watermarks<T>(undefined, {
      outOfOrderness: options.outOfOrdernessMs ?? 0,
      step: 1,
      farFuture: 'off',
    });
    const input = builder.source<T>('input', new ManualSource<T>(), strategy);
    const output = piece(input) as unknown as StreamWithSides<U, Record<string, unknown>>;
    for (const side of sides) {
      output.side[side]!.pipe(sinkTo(`side-${side}`, new RecordingSink<unknown>()));
    }
    output.pipe(sinkTo('main', new RecordingSink<U>()));
  });
  const driver = await driveJob(job, variation);
  await play(driver, script);
  const { metrics } = await driver.finish();
  return {
    main: driver.records<U>('main'),
    sides: Object.fromEntries(sides.map((side) => [side, driver.records(`side-${side}`)])),
    metrics: metrics.operators,
  };
}

async function play<T>(driver: JobDriver, script: readonly ScriptStep<T>[]): Promise<void> {
  let pending: { value: T; timestamp: number }[] = [];
  for (const step of script) {
    if ('record' in step) pending.push({ value: step.record, timestamp: step.at });
    else {
      await driver.sendTimed('input', pending);
      pending = [];
      await driver.advanceTime(step.advanceMs);
    }
  }
  await driver.sendTimed('input', pending);
}

function assertSame<U>(
  a: { readonly name: string; readonly result: HarnessResult<U> },
  b: { readonly name: string; readonly result: HarnessResult<U> },
): void {
  const text = ({ result: { main, sides } }: typeof a): string => printable({ main, sides });
  if (text(a) === text(b)) return;
  throw new Error(`results differ\n${a.name}: ${text(a)}\n${b.name}: ${text(b)}`);
}
