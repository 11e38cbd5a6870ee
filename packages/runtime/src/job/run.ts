import { type BuiltJob, type JobDefinition, type JobParams, MillraceError } from '@millrace/core';
import { warningsOf } from '@millrace/core/internal';
import type { Env } from '@millrace/core/spi';
import { Compiler, type GeneratedCode } from '../codegen/compiler.js';
import { LocalLanes } from '../exchange/local-lanes.js';
import { isSlotThread } from '../host/is-slot-thread.js';
import { nodeEnv } from '../host/node-env.js';
import { MetricRegistry } from '../metrics/metric-registry.js';
import { planPhysically } from '../plan/physical-plan.js';
import { codegenOf } from './attempt.js';
import { heapState } from './attempt-state.js';
import type { CheckpointOptions } from './checkpoint-options.js';
import { EmbeddedJob } from './embedded-job.js';
import type { JobHandle } from './job-handle.js';
import type { RestartStrategy } from './restart.js';
import { Slot, type SlotParts } from './slot.js';
import type { SlotListener } from './slot-control.js';
import { planOptionsOf, type Surroundings } from './slots-of.js';

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
  /**
   * `deep` lets V8 take more into a function that it optimizes, from then on and for the whole
   * process: record loops are faster. `asIs` leaves V8 alone. Default: `deep`, `asIs` with an `env`.
   */
  readonly inlining?: 'deep' | 'asIs' | undefined;
  /**
   * Places of the job that run side by side, in threads. Default 1: in this thread. With an `env`
   * and no `module` the job stays in this thread, and its slots take turns.
   */
  readonly slots?: number | undefined;
  /**
   * For several slots: URL of a module whose default export is the job, or a function that gives
   * it. Each thread loads it. Commonly `import.meta.url` of the file that defines the job.
   */
  readonly module?: string | URL | undefined;
  /** What the module's function is called with: plain data. */
  readonly moduleArgument?: unknown;
  /** Subtasks of operators that do not say how many. Default: one for each slot. */
  readonly parallelism?: number | undefined;
  /** Clock, randomness, scheduler, log and storage. Default: this process'. */
  readonly env?: Env | undefined;
  /**
   * Where keyed state is kept: `heap` (default) in memory; `level` in memory as far as
   * `stateMemoryBytes` allows, the rest in a scratch folder.
   */
  readonly backend?: 'heap' | 'level' | undefined;
  /**
   * Memory for keyed state of the level backend, bytes, about, for all slots together; operators
   * with state have equal parts of it. Default 256 MiB.
   */
  readonly stateMemoryBytes?: number | undefined;
  /** Makes the job durable: it goes on after a failure, a kill or a stop. Default: it does not. */
  readonly checkpoints?: CheckpointOptions | undefined;
  /**
   * When the job goes on by itself after a failure. Default: with checkpoints for ever, with
   * growing delays; without, never.
   */
  readonly restart?: RestartStrategy | undefined;
  /**
   * Memory that state may take, bytes (an estimate). There is a warning at 80 %; above it the job
   * fails naming the operator. Each slot looks at its own part, as large as its operators' key
   * groups. Default: no limit.
   */
  readonly stateBytesMax?: number | undefined;
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

/**
 * Runs a job that is built already.
 *
 * @param surroundings what a simulation puts in the place of folders and of queues between slots
 */
export function startJob(
  job: BuiltJob,
  options: RunOptions,
  surroundings?: Surroundings,
): EmbeddedJob {
  if (isSlotThread()) {
    const detail =
      'a job was started by a module that a slot loads: each slot would start it again; start it ' +
      'in another module, or in a function that this one exports';
    throw new MillraceError('ERR_INVALID_OPTION', detail, { job: job.graph.job, field: 'module' });
  }
  const started = new EmbeddedJob(job, options, surroundings);
  const { log } = options.env ?? nodeEnv();
  for (const { operator, message } of warningsOf(job.graph)) {
    log.log('warn', message, { job: job.graph.job, operator });
  }
  return started;
}

/** The generated code of a job, without running it. */
export function generatedCode<P extends JobParams>(
  job: JobDefinition<P>,
  options: RunOptions<P> = {},
): readonly GeneratedCode[] {
  const built = job.build(options.params);
  const compiler = new Compiler(built.graph.job);
  instantiate(built, options, compiler, heapState);
  return compiler.generated;
}

/** Makes all operators of a job without running them: their code, and what state they declare. */
export function instantiate(
  job: BuiltJob,
  options: RunOptions,
  compiler: Compiler,
  createState: SlotParts['createState'],
): void {
  const env = options.env ?? nodeEnv();
  const codegen = codegenOf(options.codegen);
  const plan = planPhysically(job, planOptionsOf(options));
  const { slots } = plan;
  const lanes = slots > 1 ? new LocalLanes(env) : undefined;
  for (let slot = 0; slot < slots; slot += 1) {
    new Slot({
      job,
      plan,
      slot,
      env,
      compiler,
      codegen,
      checkRecords: 'off',
      metrics: new MetricRegistry(),
      nowMs: () => env.clock.nowMs(),
      stateBytesMax: Infinity,
      createState,
      checkpoints: undefined,
      openLane: lanes?.of(slot),
      listener: nobody,
    });
  }
}

const nobody: SlotListener = {
  acknowledged() {},
  declined() {},
  sourceEnded() {},
  wantsCheckpoint() {},
  aligned() {},
  failed() {},
};
