import { stepsOf } from '../commit-steps.js';
import type { Failpoint } from '../life-protocol.js';
import { Random } from '../random.js';
import { type StreamStep, sinkSteps } from './sink-steps.js';

/** When something happens: at a step, or so long after a commit. */
export type FaultMoment =
  | Extract<Failpoint<StreamStep>, { readonly kind: 'step' }>
  | { readonly kind: 'time'; readonly afterCommitMs: number };

/** What is done to the job, to its server, or to both. */
export type Fault =
  | { readonly kind: 'job'; readonly at: FaultMoment }
  /** The job goes on without its server for so long. */
  | ServerFault<'server'>
  /** Both are killed, and the job is started while the server is down. */
  | ServerFault<'both'>
  /** The job is stopped, and goes on for so long later beside its successor. */
  | { readonly kind: 'zombie'; readonly at: FaultMoment; readonly stoppedMs: number };

interface ServerFault<K> {
  readonly kind: K;
  readonly at: FaultMoment;
  /** Which one of several, by its place. */
  readonly server: number;
  readonly outageMs: number;
}

export const faultKinds = ['job', 'server', 'both', 'zombie'] as const;

/** Of ten faults nine are at steps. The first five have one of each kind. */
const rhythm = [
  'job',
  'zombie',
  'server',
  'both',
  'job',
  'job',
  'server',
  'job',
  'zombie',
  'job',
] as const;
/** Faults at any moment: each tenth, of all kinds but zombies in turns. */
const byChance = ['both', 'job', 'both', 'server'] as const;
const moments = ['before', 'during', 'after'] as const;
const occurrenceMax = 2;
const afterCommitMsMax = 700;
const outageMsMax = 2_000;

/** Steps of a process that starts: it must be a new one. Each leaves what the next one needs. */
const startingSteps: readonly StreamStep[] = [
  'publication begins',
  'restored rows sent but for their marker',
  'fence read',
];

export interface FaultPlanOptions {
  readonly seed: number;
  readonly servers: number;
  /** For how long a job is stopped, ms. */
  readonly stoppedMs: { readonly min: number; readonly max: number };
}

/** The faults of a run: the same for the same seed. */
export class FaultPlan {
  private readonly options: FaultPlanOptions;
  private readonly random: Random;
  /** Of faults of the job; round and round. */
  private readonly jobSteps: StreamStep[];
  /** Of faults of the server: what the sink does while it is asked. */
  private readonly serverSteps: StreamStep[];
  /** Come next, whatever the rhythm says. */
  private readonly starting: StreamStep[] = [];
  private planned = 0;
  private chances = 0;
  private moment: number;

  constructor(options: FaultPlanOptions) {
    this.options = options;
    this.random = new Random(options.seed, 'jetstream');
    this.moment = this.random.whole(0, moments.length - 1);
    const late = sinkSteps.filter((step) => !startingSteps.includes(step));
    this.serverSteps = this.shuffled([...late, 'publication begins']);
    this.jobSteps = this.shuffled(stepsOf(['stream']));
    // Where a run of fifty comes by them.
    this.jobSteps.splice(3, 0, 'publication begins');
    this.jobSteps.push(...this.shuffled(late));
  }

  next(): Fault {
    const starting = this.starting.shift();
    if (starting !== undefined) return { kind: 'job', at: this.at(starting) };
    const kind = rhythm[this.planned % rhythm.length]!;
    this.planned += 1;
    switch (kind) {
      case 'both':
        return this.chance();
      case 'server':
        return this.serverFault('server', this.at(this.turn(this.serverSteps)));
      case 'zombie':
        return { kind, at: this.at(this.zombieStep()), stoppedMs: this.stoppedMs() };
      case 'job':
        return { kind, at: this.at(this.jobStep()) };
    }
  }

  /** Nobody came to the fault's step: it is tried again. */
  notReached({ kind, at }: Fault): void {
    if (at.kind !== 'step') return;
    const { step } = at;
    if (startingSteps.indexOf(step) > 0) {
      this.starting.unshift(startingSteps[0]!, step);
      return;
    }
    const steps = kind === 'server' ? this.serverSteps : this.jobSteps;
    steps.splice(steps.lastIndexOf(step), 1);
    steps.unshift(step);
  }

  private jobStep(): StreamStep {
    const step = this.turn(this.jobSteps);
    if (step === startingSteps[0]) this.starting.push(...startingSteps.slice(1));
    return step;
  }

  /** What a killed process leaves to the next one is for kills. */
  private zombieStep(): StreamStep {
    if (this.jobSteps[0] === startingSteps[0]) this.jobSteps.splice(1, 0, this.jobSteps.shift()!);
    return this.turn(this.jobSteps);
  }

  private chance(): Fault {
    const kind = byChance[this.chances % byChance.length]!;
    this.chances += 1;
    const at = { kind: 'time', afterCommitMs: this.random.whole(0, afterCommitMsMax) } as const;
    return kind === 'job' ? { kind, at } : this.serverFault(kind, at);
  }

  private serverFault<K extends 'server' | 'both'>(kind: K, at: FaultMoment): ServerFault<K> {
    const server = this.random.whole(0, this.options.servers - 1);
    return { kind, at, server, outageMs: this.random.whole(0, outageMsMax) };
  }

  private at(step: StreamStep): FaultMoment {
    this.moment += 1;
    const moment = moments[this.moment % moments.length]!;
    return { kind: 'step', step, moment, occurrence: this.occurrenceOf(step) };
  }

  /** A process opens its sink once. */
  private occurrenceOf(step: StreamStep): number {
    return startingSteps.includes(step) ? 1 : this.random.whole(1, occurrenceMax);
  }

  /** Short ones are more likely. */
  private stoppedMs(): number {
    const { min, max } = this.options.stoppedMs;
    return Math.round(min + (max - min) * this.random.next() ** 2);
  }

  private turn(steps: StreamStep[]): StreamStep {
    const step = steps.shift()!;
    steps.push(step);
    return step;
  }

  private shuffled(steps: readonly StreamStep[]): StreamStep[] {
    const rest = [...steps];
    return steps.map(() => rest.splice(this.random.whole(0, rest.length - 1), 1)[0]!);
  }
}
