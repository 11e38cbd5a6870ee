import { type BuiltJob, type JobDefinition, type JobParams, MillraceError } from '@millrace/core';
import { coreLimits, keyGroupRange, toMillraceError } from '@millrace/core/internal';
import type { Env } from '@millrace/core/spi';
import { HeapBackend } from '@millrace/state';
import { Compiler, canGenerateCode, type GeneratedCode } from '../codegen/compiler.js';
import { type BuiltStages, buildStages } from '../engine/build-stages.js';
import { type StageTimes, Task } from '../engine/task.js';
import { isProduction, nodeEnv } from '../host/node-env.js';
import { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { JobHandle, JobMetrics, JobProgress, JobResult } from './job-handle.js';

/** Options of a run. All have defaults that fit a first try. */
export interface RunOptions<P extends JobParams = JobParams> {
  /** Overrides of the job's params, by name. */
  readonly params?: Partial<P> | undefined;
  /** Cancels the job when aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Freezes and round-trips the first 1,000 records of each edge, so that a record that cannot
   * travel, or is changed after it was emitted, fails at once. Default: on, but not in production
   * (`NODE_ENV=production`).
   */
  readonly checkRecords?: 'on' | 'off' | undefined;
  /** `off` runs operators without generated code, as hosts that forbid it do. */
  readonly codegen?: 'on' | 'off' | undefined;
  /** Clock, randomness, scheduler and log. Default: this process'. */
  readonly env?: Env | undefined;
}

/**
 * Runs a job in this process, with nothing else needed.
 *
 * @throws MillraceError when the job cannot be built; what fails later rejects `done`
 * @example
 * const job = run(cardVelocity, { params: { threshold: 10 } });
 * await job.done;
 */
export function run<P extends JobParams>(
  job: JobDefinition<P>,
  options: RunOptions<P> = {},
): JobHandle {
  return startJob(job.build(options.params), options as RunOptions);
}

/** Runs a job that is built already. */
export function startJob(job: BuiltJob, options: RunOptions): EmbeddedJob {
  return new EmbeddedJob(job, options);
}

/** The generated code of a job, without running it. */
export function generatedCode<P extends JobParams>(
  job: JobDefinition<P>,
  options: RunOptions<P> = {},
): readonly GeneratedCode[] {
  return new EmbeddedJob(job.build(options.params), options as RunOptions, 'plan').code;
}

/** A job in this process. */
export class EmbeddedJob implements JobHandle {
  readonly name: string;
  readonly done: Promise<JobResult>;
  readonly code: readonly GeneratedCode[];
  private readonly env: Env;
  private readonly task: Task;
  private readonly built: BuiltStages;
  private readonly operators = new Map<string, OperatorMetrics>();
  private readonly graph: BuiltJob['graph'];
  private readonly startedMs: number;
  private status: JobProgress['status'] = 'running';
  private lastNowMs = -Infinity;

  constructor(job: BuiltJob, options: RunOptions, mode: 'run' | 'plan' = 'run') {
    this.graph = job.graph;
    this.name = job.graph.job;
    this.env = options.env ?? nodeEnv();
    this.startedMs = this.env.clock.monotonicMs();
    const compiler = new Compiler(this.name);
    this.code = compiler.generated;
    let task: Task | undefined;
    this.built = buildStages({
      job,
      env: this.env,
      compiler,
      codegen: options.codegen ?? (canGenerateCode() ? 'on' : 'off'),
      checkRecords: options.checkRecords ?? (isProduction() ? 'off' : 'on'),
      state: new HeapBackend({ groupCount, groups: keyGroupRange(0, 1, groupCount) }),
      checkpoints: undefined,
      metricsOf: (operator) => this.metricsOf(operator),
      nowMs: () => this.nowMs(),
      wake: (failure) => task?.wake(failure),
    });
    const { stages } = this.built;
    const times = stages.map(({ id }) => this.operators.get(id) ?? noTimes());
    task = new Task(stages, times, this.env, undefined);
    this.task = task;
    this.done = mode === 'run' ? this.run(options.signal) : Promise.reject(planned());
    // Whoever only polls progress is not to be ended by an unhandled rejection.
    this.done.catch(() => undefined);
  }

  async cancel(): Promise<void> {
    this.task.cancel();
    await this.done.catch(() => undefined);
  }

  /** Resolves when nothing can be done without more input, a promise of a sink, or more time. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => this.task.onIdle(resolve));
  }

  metrics(): JobMetrics {
    return {
      operators: Object.fromEntries([...this.operators].map(([id, m]) => [id, m.read()])),
      edges: Object.fromEntries(
        this.built.channels.map(({ edgeId, records }) => [edgeId, { records }]),
      ),
    };
  }

  progress(): JobProgress {
    const of = (kind: 'source' | 'sink'): Readonly<Record<string, number>>[] =>
      this.graph.nodes
        .filter((node) => node.kind === kind)
        .map(({ id }) => this.metricsOf(id).read());
    const sinks = of('sink');
    const sumIn = (all: readonly Readonly<Record<string, number>>[]): number =>
      all.reduce((sum, { numRecordsIn = 0 }) => sum + numRecordsIn, 0);
    return {
      status: this.status,
      recordsIn: sumIn(of('source')),
      recordsOut: sumIn(sinks),
      watermarkMs: Math.min(...sinks.map((sink) => sink.currentInputWatermark ?? -Infinity)),
      uptimeMs: this.env.clock.monotonicMs() - this.startedMs,
    };
  }

  private async run(signal: AbortSignal | undefined): Promise<JobResult> {
    const cancel = (): void => this.task.cancel();
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted === true) cancel();
    try {
      const status = await this.task.run();
      this.status = status;
      const durationMs = this.env.clock.monotonicMs() - this.startedMs;
      return { status, metrics: this.metrics(), durationMs };
    } catch (error) {
      this.status = 'failed';
      throw toMillraceError(error, 'ERR_INVARIANT', { job: this.name });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  private metricsOf(operator: string): OperatorMetrics {
    let metrics = this.operators.get(operator);
    if (metrics === undefined) {
      metrics = new OperatorMetrics(operator);
      this.operators.set(operator, metrics);
    }
    return metrics;
  }

  /** Wall clock that never goes back. */
  private nowMs(): number {
    this.lastNowMs = Math.max(this.lastNowMs, this.env.clock.nowMs());
    return this.lastNowMs;
  }
}

const groupCount = coreLimits.keyGroupsDefault;
const noTimes = (): StageTimes => ({ accumulateBusyTimeMs: 0, accumulateBackPressuredTimeMs: 0 });
const planned = (): Error => new MillraceError('ERR_CANCELLED', 'the job was only planned');
