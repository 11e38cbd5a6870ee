import { type CommitStep, commitSteps, isTakenBy } from './commit-steps.js';
import { type JobName, jobNames, jobs } from './jobs.js';
import type { Failpoint } from './life-protocol.js';
import { Random } from './random.js';

/** How a life is to end. */
export type Kill =
  | { readonly kind: 'failpoint'; readonly failpoint: Failpoint }
  /** From outside, so long after the first commit. */
  | { readonly kind: 'time'; readonly afterCommitMs: number };

/** Of ten kills: one at the start, seven at steps, two at any moment. */
const rhythm = ['step', 'time', 'step', 'step', 'step', 'start', 'step', 'time', 'step', 'step'];
const moments = ['before', 'during', 'after'] as const;
const occurrenceMax = 3;
const startCallMax = 60;
const afterCommitMsMax = 600;

/**
 * The kills of one job: the same for the same seed. The jobs begin at different steps, so that
 * together they soon have had all.
 */
export class KillPlan {
  private readonly random: Random;
  private readonly steps: CommitStep[];
  private planned = 0;
  private moment: number;

  private readonly slots: number;

  /** @param slots with several, steps are taken in threads where nobody sees them */
  constructor(seed: number, job: JobName, slots = 1) {
    this.slots = slots;
    this.random = new Random(seed, job);
    this.moment = this.random.whole(0, moments.length - 1);
    this.steps = stepsOf(job);
  }

  next(): Kill {
    const kind = this.slots > 1 ? 'time' : rhythm[this.planned % rhythm.length]!;
    this.planned += 1;
    if (kind === 'time') {
      return { kind, afterCommitMs: this.random.whole(0, afterCommitMsMax) };
    }
    return {
      kind: 'failpoint',
      failpoint: kind === 'start' ? this.startPoint() : this.stepPoint(),
    };
  }

  /** The process never came to the step's failpoint: it is tried again. */
  notReached(step: CommitStep): void {
    this.steps.splice(this.steps.indexOf(step), 1);
    this.steps.unshift(step);
  }

  private startPoint(): Failpoint {
    return { kind: 'start', call: this.random.whole(1, startCallMax) };
  }

  private stepPoint(): Failpoint {
    // Round and round.
    const step = this.steps.shift()!;
    this.steps.push(step);
    this.moment += 1;
    return {
      kind: 'step',
      step,
      moment: moments[this.moment % moments.length]!,
      occurrence: this.random.whole(1, occurrenceMax),
    };
  }
}

/** Those that fall to the job first, then all others that it takes. */
function stepsOf(job: JobName): CommitStep[] {
  const taken = commitSteps.filter((step) => isTakenBy(step, jobs[job].sinks));
  const own = taken.filter((step) => ownerOf(step) === job);
  return [...own, ...taken.filter((step) => !own.includes(step))];
}

/** Steps are dealt out in turns, those that few jobs take to one of these. */
function ownerOf(step: CommitStep): JobName {
  const able = jobNames.filter((job) => isTakenBy(step, jobs[job].sinks));
  return able[commitSteps.indexOf(step) % able.length]!;
}
