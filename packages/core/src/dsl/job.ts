import { MillraceError } from '../errors/millrace-error.js';
import { GraphBuilder } from '../graph/builder.js';
import { canonicalJson } from '../graph/fingerprint.js';
import type { BuiltJob, Json } from '../graph/logical-graph.js';
import { assertValid } from '../graph/validate.js';
import type { OnError } from '../spi/errors.js';
import type { Source } from '../spi/source.js';
import type { WatermarkStrategy } from '../spi/watermark.js';
import type { Duration } from '../time/duration.js';
import { noWatermarks } from '../time/watermarks.js';
import { withoutAmbientInputs } from './build-guard.js';
import { type SourceStream, streamWithSidesOf } from './stream.js';

export interface SourceOptions {
  /** What becomes of input that cannot be decoded or has no valid event time. Default `fail`. */
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
  /**
   * Whether losing records of a source that cannot be read again (`replay: 'none'`) is acceptable
   * after a failure. A job with checkpoints refuses such a source otherwise. Default false.
   */
  readonly allowLoss?: boolean | undefined;
}

/** A source as the function table keeps it. */
export interface SourceDefinition<T = unknown> {
  readonly source: Source<T>;
  readonly watermarks: WatermarkStrategy<T>;
}

/** What the build function gets: the place where streams begin. */
export interface JobBuilder {
  /**
   * A stream from a source.
   *
   * @param id unique in the job; positions are bound to it
   * @param watermarks how event time is told; without it windows by event time do not fire
   *   before the input ends
   * @example
   * job.source('keys', stdinSource({ format: 'lines' }), noWatermarks(), { allowLoss: true });
   */
  source<T>(
    id: string,
    source: Source<T>,
    watermarks?: WatermarkStrategy<NoInfer<T>>,
    options?: SourceOptions,
  ): SourceStream<T>;
}

/** JSON parameters of a job, part of its fingerprint. */
export type JobParams = { readonly [name: string]: Json };

/** A job that can be built, run and deployed. */
export interface JobDefinition<P extends JobParams = JobParams> {
  readonly name: string;
  /** The defaults. */
  readonly params: P;
  /**
   * Builds and validates the graph. The build function runs twice, without clock, randomness and
   * environment, and must give the same graph both times.
   *
   * @throws MillraceError with the code of the first mistake
   */
  build(params?: Partial<P>): BuiltJob;
}

/** Registered, not private: a job file and the program that loads it may have two copies of core. */
const jobMark = Symbol.for('millrace.job');

/** Whether a value (of a job file's default export, say) is a job. */
export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && jobMark in value;
}

/**
 * Defines a job.
 *
 * @param name letters, digits, `.`, `_`, `-`; state and positions belong to it
 * @param params JSON with the defaults; a run may override them by name
 * @param build connects sources, operators and sinks; it must depend on its arguments alone
 * @example
 * export default defineJob('card-velocity', { threshold: 20 }, (job, params) => {
 *   job.source('payments', payments, watermarks((p) => p.at)).pipe(
 *     filter((p) => p.amount > params.threshold),
 *     sinkTo('large', consoleSink()),
 *   );
 * });
 */
export function defineJob<const P extends JobParams>(
  name: string,
  params: P,
  build: (job: JobBuilder, params: Widened<P>) => void,
): JobDefinition<Widened<P>> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new MillraceError('ERR_INVALID_ID', `'${name}' is no name for a job`);
  }
  assertJson(params, 'params');
  const definition: JobDefinition<Widened<P>> = {
    name,
    params: params as unknown as Widened<P>,
    build(overrides = {}) {
      const merged = mergeParams(name, params, overrides);
      const first = buildOnce(name, merged, build as BuildFunction);
      const second = buildOnce(name, merged, build as BuildFunction);
      if (canonicalJson(first.graph) !== canonicalJson(second.graph)) {
        throw new MillraceError(
          'ERR_NONDETERMINISTIC_BUILD',
          'two builds with the same params gave different graphs',
          { job: name },
        );
      }
      assertValid(first.graph);
      return first;
    },
  };
  Object.defineProperty(definition, jobMark, { value: true });
  return definition;
}

/**
 * Literal types of the defaults (`20`) widened to what an override may be (`number`). A text that
 * is a duration stays one, so that it can be the size of a window.
 */
export type Widened<P> = {
  readonly [N in keyof P]: P[N] extends number
    ? number
    : P[N] extends string
      ? P[N] extends DurationText
        ? DurationText
        : string
      : P[N] extends boolean
        ? boolean
        : P[N];
} & {};

type DurationText = Extract<Duration, string>;

type BuildFunction = (job: JobBuilder, params: JobParams) => void;

function buildOnce(name: string, params: JobParams, build: BuildFunction): BuiltJob {
  const graph = new GraphBuilder();
  const job: JobBuilder = {
    source: (id, source, strategy = noWatermarks(), options = {}) => {
      const definition: SourceDefinition<unknown> = {
        source: source as Source<unknown>,
        watermarks: strategy as WatermarkStrategy<unknown>,
      };
      const ref = graph.add({
        id,
        kind: 'source',
        operator: source.type,
        definition,
        inputs: [],
        settings: { ...(source.settings as JobParams | undefined), ...watermarkSettings(strategy) },
        onError: options.onError,
        parallelism: options.parallelism,
        allowLoss: options.allowLoss,
      });
      return streamWithSidesOf(ref, ['deadLetters']);
    },
  };
  withoutAmbientInputs(() => build(job, params));
  return graph.finish(name, params);
}

function watermarkSettings(strategy: WatermarkStrategy<never>): JobParams {
  if (strategy.kind === 'none') return {};
  const { kind, outOfOrdernessMs, stepMs } = strategy;
  return { watermarks: kind === 'bounded' ? { kind, outOfOrdernessMs, stepMs } : { kind, stepMs } };
}

function mergeParams(job: string, defaults: JobParams, overrides: object): JobParams {
  assertJson(overrides, 'params');
  for (const [name, value] of Object.entries(overrides)) {
    const known = Object.hasOwn(defaults, name);
    const fits = known && (defaults[name] === null || kindOf(defaults[name]) === kindOf(value));
    if (fits) continue;
    const detail = known
      ? `param ${name} is ${kindOf(value)}, its default is ${kindOf(defaults[name])}`
      : `the job has no param ${name}; it has ${Object.keys(defaults).join(', ') || 'none'}`;
    throw new MillraceError('ERR_INVALID_PARAMS', detail, { job, field: name });
  }
  return { ...defaults, ...overrides };
}

/** `typeof`, with lists and null told from objects. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function assertJson(value: unknown, field: string): void {
  const plain =
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value));
  if (plain) return;
  if (Array.isArray(value)) {
    for (const [index, part] of value.entries()) assertJson(part, `${field}[${index}]`);
  } else if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [name, part] of Object.entries(value)) assertJson(part, `${field}.${name}`);
  } else {
    throw new MillraceError('ERR_INVALID_PARAMS', `${field} is not JSON`, { field });
  }
}
