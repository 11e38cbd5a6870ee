import type { MillraceError } from '@millrace/core';
import type { JobHandle, RunOptions } from '@millrace/runtime';
import { CommitWatch } from './commit-watch.js';
import { DiskFaults } from './disk-faults.js';
import type { JobPlan, SimulatedRecord } from './job-plan.js';
import type { SeededRandom } from './seeded-random.js';
import { SimulatedDestination } from './simulated-destination.js';
import {
  type AroundJob,
  type SimulatedJob,
  type StartSimulatedJob,
  startSimulatedJob,
} from './simulated-job.js';
import type { SimulatedWorld } from './simulated-world.js';
import { type Oracles, outputOracles, SimulationViolation } from './violation.js';
import { WorldLinks } from './world-links.js';
import type { WorldProcess } from './world-process.js';

/** Folder of the job's checkpoints on the simulated disk. */
export const checkpointFolder = '/checkpoints';

export interface SceneParts {
  readonly world: SimulatedWorld;
  readonly plan: JobPlan;
  readonly around: AroundJob;
  readonly options: RunOptions;
  /** When faults end, virtual ms. */
  readonly faultsEndMs: number;
  /** Runs the job in a process. Default: the job that the plan describes. */
  readonly startJob?: StartSimulatedJob | undefined;
  /** Default: all. */
  readonly oracles?: Oracles | undefined;
}

/** Where a savepoint is, and what it was made of. */
export interface Savepoint {
  readonly folder: string;
  readonly checkpoint: number;
}

/** Virtual time after a job's end in which nothing may be left of it, ms. */
const leftoverGraceMs = 5_000;

/** Errors of a job whose checkpoints a fault has damaged: what is promised is to notice. */
const damageCodes: readonly string[] = ['ERR_CHECKPOINT_CORRUPT', 'ERR_CODEC_CORRUPT'];

/**
 * A job as an operator of it sees it: processes that run it, one after another, until it has
 * finished. Whatever ends a process, a new one is started, as an init system would.
 */
export class Scene {
  readonly world: SimulatedWorld;
  readonly plan: JobPlan;
  readonly faultsEndMs: number;
  readonly destination = new SimulatedDestination();
  readonly commits: CommitWatch;
  readonly diskFaults = new DiskFaults();
  /** The network between slots; undefined: they have queues. */
  readonly links: WorldLinks | undefined;
  /** Faults that hit something, by kind. */
  readonly effective: Record<string, number> = {};
  /** Called at each record of a `fallible` step; faults set it. */
  onRecord: (record: SimulatedRecord) => void = () => undefined;
  /** A fault has damaged what is stored. */
  isDamaged = false;
  verdict: 'running' | 'finished' | 'detected' | 'unjudged' = 'running';
  readonly random: SeededRandom;
  private readonly parts: SceneParts;
  private readonly jobs: SimulatedJob[] = [];
  /** Those that may still be told of a checkpoint. */
  private listening: SimulatedJob[] = [];
  private newestTold = 0;
  private starting: 'no' | 'soon' = 'no';
  /** What was asked of jobs and is not answered. */
  private requests = 0;
  private checks = 0;
  private readonly slotsOf = new Map<WorldProcess, number>();
  /** Numbers of slots in which an unaligned checkpoint cannot go on, and how many commits ago. */
  private refused: { readonly slots: readonly number[]; readonly commits: number } = {
    slots: [],
    commits: 0,
  };
  private readonly closers: { readonly job: SimulatedJob; readonly close: () => void }[] = [];

  constructor(parts: SceneParts) {
    const { world } = parts;
    this.parts = parts;
    this.world = world;
    this.plan = parts.plan;
    this.faultsEndMs = parts.faultsEndMs;
    this.random = world.random.fork('scene');
    this.links = parts.plan.lanes === 'links' ? this.makeLinks() : undefined;
    this.commits = new CommitWatch({
      disk: world.disk,
      folder: checkpointFolder,
      told: () => this.told(),
      mayFallBack: () => this.isDamaged,
    });
    world.diskLatency.onStep((step) => this.guarded(() => this.commits.onStep(step)));
    world.diskLatency.onStep((step) => this.diskFaults.onStep(step));
  }

  /** The job's process that was started last, while it runs. */
  get current(): SimulatedJob | undefined {
    const last = this.jobs.at(-1);
    return last !== undefined && isAlive(last) ? last : undefined;
  }

  /** Nothing of the job runs any more, and it has finished or failed as it may. */
  get isOver(): boolean {
    return (
      this.verdict !== 'running' &&
      !this.jobs.some(isAlive) &&
      this.requests === 0 &&
      this.checks === 0
    );
  }

  /** The newest checkpoint of which a job has been told that it is committed. */
  private told(): number {
    for (const { handle } of this.listening) {
      this.newestTold = Math.max(this.newestTold, committedOf(handle) ?? 0);
    }
    // Asked once more after its end, a job has no more to say.
    this.listening = this.listening.filter(isAlive);
    return this.newestTold;
  }

  /** Where the job stands, for messages. */
  get state(): string {
    const jobs = this.jobs.filter(isAlive).map(({ process }) => {
      const waiting = this.world.waitingOf(process).join(', ') || 'nothing';
      return `${process.name} (${process.life}) waits for ${waiting}`;
    });
    return `${this.verdict}, ${this.requests} requests open; ${jobs.join('; ') || 'no process'}`;
  }

  /** Processes started so far. */
  get starts(): number {
    return this.jobs.length;
  }

  /** @param savepoint what to begin with, unless somebody has committed since, or still may */
  start(savepoint?: Savepoint): void {
    this.starting = 'no';
    if (this.verdict !== 'running') return;
    const isNewest = savepoint?.checkpoint === this.commits.newest && !this.jobs.some(isAlive);
    const from = isNewest ? savepoint?.folder : undefined;
    const { world, parts } = this;
    const skewMs = Math.round((this.random.next() - 0.5) * 4_000);
    const process = world.start(`p${this.jobs.length + 1}`, { skewMs });
    const { options: given, startJob = startSimulatedJob } = parts;
    const { checkpoints, ...others } = given;
    const options = {
      ...others,
      slots: this.random.pick(this.slotsNow()),
      checkpoints: { ...checkpoints, folder: checkpointFolder, from },
    };
    this.slotsOf.set(process, options.slots);
    world.note(`${process.name}: started${from === undefined ? '' : ` from ${from}`}`);
    const job = startJob(
      {
        world,
        plan: this.plan,
        destination: this.destination,
        around: parts.around,
        onRecord: (record) => this.onRecord(record),
        onViolation: (error) => this.judge(error),
        links: this.links,
      },
      process,
      options,
      (ended) => this.onEnd(ended),
    );
    this.jobs.push(job);
    this.listening.push(job);
  }

  /** Starts a process before long, unless one is about to be started. */
  startSoon(savepoint?: Savepoint): void {
    if (this.starting === 'soon') return;
    this.starting = 'soon';
    this.world.after('start', this.random.spread(1, 200), () => this.start(savepoint));
  }

  /** @returns whether there was anything to kill */
  kill(): boolean {
    const { current } = this;
    if (current === undefined) return false;
    this.world.kill(current.process);
    this.afterDeath();
    return true;
  }

  powerCut(random: SeededRandom): void {
    this.world.powerCut(random);
    void this.guarded(() => this.commits.afterPowerCut());
    this.afterDeath();
  }

  noteEffect(kind: string): void {
    this.effective[kind] = (this.effective[kind] ?? 0) + 1;
    this.world.note(`fault: ${kind}`);
  }

  /** Counts something that was asked of a job: it must be answered, unless its process dies. */
  request<T>(
    job: SimulatedJob,
    what: string,
    asked: Promise<T>,
    onDone?: (answer: T) => void,
  ): void {
    this.requests += 1;
    let isOpen = true;
    const close = (): void => {
      if (isOpen) this.requests -= 1;
      isOpen = false;
    };
    asked.then(
      (answer) => {
        close();
        onDone?.(answer);
      },
      (error: unknown) => {
        close();
        this.world.note(`${job.process.name}: ${what} failed: ${String(error)}`);
        if (!mayRefuse(error)) this.violate('failure', `${what}: ${String(error)}`);
      },
    );
    this.closers.push({ job, close });
  }

  violate(oracle: SimulationViolation['oracle'], detail: string): void {
    this.judge(new SimulationViolation(oracle, detail));
  }

  private makeLinks(): WorldLinks {
    const links = new WorldLinks(this.world);
    links.onFailure = ({ code }) => {
      if (code === 'ERR_LINK_STALLED') this.noteEffect('stalledLink');
    };
    return links;
  }

  private afterDeath(): void {
    for (const { job, close } of this.closers) if (job.process.life === 'killed') close();
    if (!this.isDamaged) void this.guarded(() => this.commits.verifyRetained());
    this.startSoon();
  }

  /** Calls of the disk that are under way when a job ends may still be answered. */
  private checkLeftovers({ process }: SimulatedJob): void {
    this.checks += 1;
    this.world.after('look for leftovers', leftoverGraceMs, () => {
      this.checks -= 1;
      if (process.pending === 0) return;
      const left = this.world.waitingOf(process).join(', ');
      this.violate('leftovers', `${process.name} has ended, and still waits for: ${left}`);
    });
  }

  private onEnd(job: SimulatedJob): void {
    const { process, outcome } = job;
    const { world } = this;
    const error = outcome?.kind === 'failed' ? outcome.error : undefined;
    world.note(`${process.name}: ${outcome?.kind} ${error?.message ?? ''}`);
    this.checkLeftovers(job);
    if (outcome?.kind === 'finished') {
      this.verdict = 'finished';
      return;
    }
    const isSuperseded = error?.code === 'ERR_CHECKPOINT_SUPERSEDED' && this.jobs.length > 1;
    if (error === undefined || error.retryable || isSuperseded) {
      if (!this.jobs.some(isAlive)) this.startSoon();
      return;
    }
    if (isOtherParallelism(error)) {
      this.refuseSlots(job);
      return;
    }
    if (this.isDamaged && damageCodes.includes(error.code)) this.verdict = 'detected';
    else if (this.parts.oracles === 'output') this.verdict = 'unjudged';
    else this.violate('failure', `${process.name} failed for good: ${error.message}`);
  }

  /** Whoever runs the job tries the other numbers of slots: one of them took the checkpoint. */
  private refuseSlots({ process }: SimulatedJob): void {
    const { committed: commits } = this.commits;
    const others = this.refused.commits === commits ? this.refused.slots : [];
    this.refused = { commits, slots: [...others, this.slotsOf.get(process)!] };
    if (this.slotsNow().length > 0) this.startSoon();
    else this.violate('failure', 'an unaligned checkpoint goes on in no number of slots');
  }

  private slotsNow(): readonly number[] {
    const { slots, commits } = this.refused;
    if (commits !== this.commits.committed) return this.plan.slots;
    return this.plan.slots.filter((number) => !slots.includes(number));
  }

  /** What an oracle finds ends the run, ahead of the next pick. */
  private async guarded(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.judge(error);
    }
  }

  private judge(error: unknown): void {
    const isAsked =
      this.parts.oracles !== 'output' ||
      (error instanceof SimulationViolation && outputOracles.includes(error.oracle));
    if (isAsked) this.world.fail(error);
  }
}

const isAlive = ({ process, outcome }: SimulatedJob): boolean =>
  outcome === undefined && process.life !== 'killed';

/** What an unaligned checkpoint is refused with where it was taken in another number of slots. */
const isOtherParallelism = ({ code, message }: MillraceError): boolean =>
  code === 'ERR_STATE_INCOMPATIBLE' && message.includes('unaligned');

const committedOf = (handle: JobHandle): number | undefined =>
  handle.progress().checkpoints?.committed;

/** What a request may be refused with: the attempt ended, or nothing is open yet, or the disk. */
function mayRefuse(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== 'string') return false;
  return (
    code.startsWith('ERR_STORAGE_') ||
    ['ERR_CHECKPOINT_FAILED', 'ERR_INVALID_OPTION', 'ERR_CHECKPOINT_SUPERSEDED'].includes(code)
  );
}
