import { describe, expect, test } from 'vitest';
import { commitSteps, isTakenBy } from './commit-steps.js';
import { type JobName, jobNames, jobs } from './jobs.js';
import { type Kill, KillPlan } from './kill-plan.js';

function killsOf(seed: number, job: JobName, count: number): Kill[] {
  const plan = new KillPlan(seed, job);
  return Array.from({ length: count }, () => plan.next());
}

const stepsOf = (kills: readonly Kill[]) =>
  kills.flatMap((kill) =>
    kill.kind === 'failpoint' && kill.failpoint.kind === 'step' ? [kill.failpoint.step] : [],
  );

describe('a plan of kills', () => {
  test('is the same for the same seed, and another one for another', () => {
    expect(killsOf(1, 'q5', 30)).toEqual(killsOf(1, 'q5', 30));
    expect(killsOf(1, 'q5', 30)).not.toEqual(killsOf(2, 'q5', 30));
    expect(killsOf(1, 'q5', 30)).not.toEqual(killsOf(1, 'q11', 30));
  });

  test('comes to every step with fifty kills over all jobs', () => {
    const planned = jobNames.flatMap((job) => stepsOf(killsOf(3, job, 12)));
    expect(commitSteps.filter((step) => !planned.includes(step))).toEqual([]);
  });

  test('has only steps that the job takes', () => {
    for (const job of jobNames) {
      const steps = stepsOf(killsOf(4, job, 100));
      expect(steps.filter((step) => !isTakenBy(step, jobs[job].sinks))).toEqual([]);
    }
  });

  test('comes back at once to a step that was not reached', () => {
    const plan = new KillPlan(5, 'q5');
    const [step] = stepsOf([plan.next()]);
    plan.notReached(step!);
    const next = Array.from({ length: 3 }, () => plan.next());
    expect(stepsOf(next)[0]).toBe(step);
  });
});
