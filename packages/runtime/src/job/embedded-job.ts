import { type BuiltJob, MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { Env } from '@millrace/core/spi';
import { randomId } from '../checkpoint/blob-names.js';
import type { Manifest } from '../checkpoint/manifest.js';
import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import { inlineDeeply } from '../host/inlining.js';
import { nodeEnv } from '../host/node-env.js';
import { type Scratch, scratchFolders } from '../host/scratch-folder.js';
import { runtimeLimits } from '../limits.js';
import { mergeMetrics } from '../metrics/metric-registry.js';
import type { PhysicalPlan } from '../plan/physical-plan.js';
import { JobAttempt } from './attempt.js';
import { scratchName } from './attempt-state.js';
import { refuseLoss } from './checkpoint-options.js';
import { completeOutput } from './complete-output.js';
import { type JobCheckpoints, openCheckpoints } from './job-checkpoints.js';
import type {
  CheckpointProgress,
  JobHandle,
  JobMetrics,
  JobProgress,
  JobResult,
  ResumedFrom,
} from './job-handle.js';
import { noSuspect, watchPoison } from './poison.js';
import { afterFailure, checkStrategy, noFailures, type RestartStrategy } from './restart.js';
import type { RunOptions } from './run.js';
import type { SlotProvider } from './slot-provider.js';
import { type Surroundings, slotsOf } from './slots-of.js';

/** A job in this process: one attempt after another, each from the last checkpoint. */
export class EmbeddedJob implements JobHandle {
  readonly name: string;
  readonly done: Promise<JobResult>;
  readonly resumed: Promise<ResumedFrom>;
  readonly opened: Promise<void>;
  private readonly job: BuiltJob;
  private readonly options: RunOptions;
  private readonly env: Env;
  private readonly restart: RestartStrategy;
  private readonly scratch: Scratch;
  private readonly plan: PhysicalPlan;
  private readonly slots: SlotProvider;
  private readonly startedMs: number;
  private attempt: JobAttempt | undefined;
  private attempts = 0;
  private checkpoints: JobCheckpoints | undefined;
  private alarm: MillraceError | undefined;
  private status: JobProgress['status'] = 'running';
  private isCancelled = false;
  private wakeFromDelay: (() => void) | undefined;
  private idleListeners: (() => void)[] = [];
  private tellResumed: (from: ResumedFrom) => void = () => undefined;
  private tellOpened: () => void = () => undefined;

  constructor(job: BuiltJob, options: RunOptions, surroundings: Surroundings = {}) {
    const { scratch = scratchFolders } = surroundings;
    this.job = job;
    this.scratch = scratch;
    this.options = options;
    this.name = job.graph.job;
    this.env = options.env ?? nodeEnv();
    const {
      checkpoints,
      restart,
      inlining = options.env === undefined ? 'deep' : 'asIs',
    } = options;
    if (inlining === 'deep') inlineDeeply();
    this.restart = restart ?? { kind: checkpoints === undefined ? 'none' : 'exponential' };
    checkStrategy(this.restart);
    const { plan, slots } = slotsOf(job, options, this.env, { ...surroundings, scratch });
    this.plan = plan;
    this.slots = slots;
    if (checkpoints !== undefined) refuseLoss(job);
    this.startedMs = this.env.clock.monotonicMs();
    this.resumed = new Promise((resolve) => {
      this.tellResumed = resolve;
    });
    this.opened = new Promise((resolve) => {
      this.tellOpened = resolve;
    });
    // Mistakes in the job show at once, not only when `done` is looked at.
    if (checkpoints === undefined) this.attempt = this.createAttempt(undefined);
    this.done = this.run();
    // Whoever only polls progress is not to be ended by an unhandled rejection.
    this.done.catch(() => undefined);
  }

  async cancel(): Promise<void> {
    this.stop();
    await this.done.catch(() => undefined);
  }

  async savepoint(name: string): Promise<Manifest> {
    return this.coordinator().savepoint(name);
  }

  async stopWithSavepoint(name: string, input: 'suspend' | 'drain' = 'suspend'): Promise<Manifest> {
    const coordinator = this.coordinator();
    if (input === 'drain') {
      const { attempt } = this;
      if (attempt === undefined) {
        throw new MillraceError('ERR_CHECKPOINT_FAILED', 'the job has not begun yet');
      }
      const manifest = await attempt.drain(name);
      await this.done;
      return manifest;
    }
    const manifest = await coordinator.savepoint(name, 'stop');
    // What a sink could not publish, whoever goes on from the savepoint publishes.
    await this.attempt!.sinksQuiet().catch(() => undefined);
    await this.cancel();
    return manifest;
  }

  /** Resolves when nothing can be done without more input, a promise of a sink, or more time. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.attempt === undefined) this.idleListeners.push(resolve);
      else this.slots.onIdle(resolve);
    });
  }

  metrics(): JobMetrics {
    const slots = this.slots.metrics();
    const edges: Record<string, { records: number }> = {};
    for (const [edge, records] of slots.flatMap((slot) => Object.entries(slot.edges))) {
      edges[edge] = { records: (edges[edge]?.records ?? 0) + records };
    }
    return { operators: mergeMetrics(slots.map(({ operators }) => operators)), edges };
  }

  progress(): JobProgress {
    const operators = mergeMetrics(this.slots.metrics().map((slot) => slot.operators));
    const of = (kind: 'source' | 'sink'): Readonly<Record<string, number>>[] =>
      this.job.graph.nodes
        .filter((node) => node.kind === kind)
        .map(({ id }) => operators[id] ?? {});
    const sinks = of('sink');
    const sumIn = (all: readonly Readonly<Record<string, number>>[]): number =>
      all.reduce((sum, { numRecordsIn = 0 }) => sum + numRecordsIn, 0);
    return {
      status: this.status,
      recordsIn: sumIn(of('source')),
      recordsOut: sumIn(sinks),
      watermarkMs: Math.min(...sinks.map((sink) => sink.currentInputWatermark ?? -Infinity)),
      uptimeMs: this.env.clock.monotonicMs() - this.startedMs,
      attempts: this.attempts,
      checkpoints: this.checkpointProgress(),
    };
  }

  private checkpointProgress(): CheckpointProgress | undefined {
    const { checkpoints, alarm } = this;
    if (checkpoints === undefined) return undefined;
    const { history } = checkpoints.coordinator;
    const committed = history.filter(({ error }) => error === undefined);
    return {
      committed: checkpoints.coordinator.restorePoint?.manifest.checkpoint,
      completed: committed.length,
      failed: history.length - committed.length,
      alarm,
      history,
    };
  }

  private async run(): Promise<JobResult> {
    const { signal } = this.options;
    const cancel = (): void => this.stop();
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted === true) cancel();
    try {
      const status = await this.runAttempts();
      this.status = status;
      const durationMs = this.env.clock.monotonicMs() - this.startedMs;
      return { status, metrics: this.metrics(), durationMs };
    } catch (error) {
      this.status = 'failed';
      throw toMillraceError(error, 'ERR_INVARIANT', { job: this.name });
    } finally {
      signal?.removeEventListener('abort', cancel);
      await this.checkpoints?.coordinator.close();
    }
  }

  private async runAttempts(): Promise<'finished' | 'cancelled'> {
    await this.openCheckpoints();
    if (this.checkpoints?.restored?.finished === true) {
      await completeOutput(this.job, this.env, this.sinkCheckpoints(this.checkpoints));
      await this.checkpoints.coordinator.settle();
      return 'finished';
    }
    let failures = noFailures;
    let watch = noSuspect;
    do {
      const { env } = this;
      try {
        return await this.runAttempt();
      } catch (thrown) {
        const failure = toMillraceError(thrown, 'ERR_INVARIANT', { job: this.name });
        const error = await this.reasonOf(failure);
        const [nextWatch, poison] = watchPoison(watch, error);
        watch = nextWatch;
        if (this.restart.kind === 'none' || !error.retryable) throw error;
        if (poison !== undefined) throw poison;
        if (this.isCancelled) {
          const { name: job } = this;
          env.log.log('warn', 'the job failed as it was stopped', { job, error: error.message });
          return 'cancelled';
        }
        const failedMs = env.clock.monotonicMs();
        const [next, decision] = afterFailure(this.restart, failures, failedMs, env.random.next());
        failures = next;
        if (decision.kind === 'give up') throw exhausted(error, next.count);
        const { delayMs } = decision;
        env.log.log('warn', 'the job restarts', { job: this.name, delayMs, error: error.message });
        await this.delay(delayMs);
      }
    } while (!this.isCancelled);
    return 'cancelled';
  }

  /** What a successor deletes looks like damage to the one that it has succeeded. */
  private async reasonOf(cause: MillraceError): Promise<MillraceError> {
    const { name: job } = this;
    const superseded = await this.superseded();
    if (superseded === undefined || superseded.code === cause.code) return cause;
    const detail = `${superseded.detail}; here it shows as ${cause.message}`;
    return new MillraceError(superseded.code, detail, { cause, job });
  }

  /** Asked again where storage does not answer: it may be what has just failed. */
  private async superseded(): Promise<MillraceError | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.checkpoints?.coordinator.superseded();
      } catch {
        if (tries === runtimeLimits.ownerTriesMax) return undefined;
        await this.delay(runtimeLimits.ownerRetryMs);
      }
    }
  }

  private async openCheckpoints(): Promise<void> {
    const { options, job, env } = this;
    if (options.checkpoints !== undefined) {
      this.checkpoints = await openCheckpoints({
        job,
        env,
        options: options.checkpoints,
        states: () => this.attempt!.states(),
        onFailure: (error) => this.attempt?.fail(error),
        onAlarm: (error) => {
          this.alarm = error;
        },
      });
      // Only now: the folder may have been another job's, which runs.
      if (options.backend === 'level') {
        await this.scratch.remove(`${options.checkpoints.folder}/${scratchName}`);
      }
    }
    this.tellResumed(resumedFrom(this.checkpoints));
  }

  private async runAttempt(): Promise<'finished' | 'cancelled'> {
    const { checkpoints } = this;
    this.attempts += 1;
    // The first one of a job without checkpoints is there already.
    if (this.attempts > 1 || checkpoints !== undefined) {
      this.attempt = this.createAttempt(checkpoints);
    }
    const attempt = this.attempt!;
    for (const listener of this.idleListeners.splice(0)) this.slots.onIdle(listener);
    if (this.isCancelled) attempt.cancel();
    try {
      return await attempt.run();
    } finally {
      await checkpoints?.coordinator.endAttempt();
    }
  }

  private createAttempt(checkpoints: JobCheckpoints | undefined): JobAttempt {
    const { job, env, plan, options, attempts: number } = this;
    const own = checkpoints && this.sinkCheckpoints(checkpoints);
    this.slots.begin(number);
    return new JobAttempt({
      job,
      plan,
      env,
      onOpen: () => this.tellOpened(),
      createSlot: (slot, listener) => this.slots.create(slot, own, listener),
      checkpoints: checkpoints && {
        coordinator: checkpoints.coordinator,
        number,
        restored: own!.restored,
        allowStateChange: options.checkpoints?.allowStateChange ?? [],
      },
    });
  }

  private sinkCheckpoints({ store, coordinator }: JobCheckpoints): SinkCheckpointsParts {
    return {
      store,
      name: attemptName(this.attempts, this.env),
      restored: coordinator.restorePoint?.manifest,
      lineage: coordinator.lineage!,
      replay: this.options.checkpoints?.acceptReplay === true ? 'accepted' : 'refused',
    };
  }

  private coordinator(): JobCheckpoints['coordinator'] {
    if (this.checkpoints !== undefined) return this.checkpoints.coordinator;
    throw new MillraceError('ERR_INVALID_OPTION', 'the job takes no checkpoints', {
      job: this.name,
    });
  }

  private stop(): void {
    this.isCancelled = true;
    this.attempt?.cancel();
    this.wakeFromDelay?.();
  }

  private async delay(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.env.scheduler.after(delayMs, resolve);
      this.wakeFromDelay = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function resumedFrom(checkpoints: JobCheckpoints | undefined): ResumedFrom {
  const restored = checkpoints?.restored;
  if (restored === undefined) return undefined;
  const { checkpoint, triggeredMs, sources } = restored.manifest;
  return { checkpoint, triggeredMs, sources, finished: restored.finished };
}

/** Attempts of different processes count alike; the random part tells them apart. */
const attemptName = (number: number, { random }: Env): string => `${number}-${randomId(random)}`;

function exhausted(cause: MillraceError, failures: number): MillraceError {
  const { job, operator, position, message } = cause;
  const detail = `${failures} failures, the last one: ${message}`;
  return new MillraceError('ERR_RESTARTS_EXHAUSTED', detail, { cause, job, operator, position });
}
