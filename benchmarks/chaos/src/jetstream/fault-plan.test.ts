import { describe, expect, test } from 'vitest';
import { type Fault, FaultPlan, faultKinds } from './fault-plan.js';
import { type StreamStep, streamSteps } from './sink-steps.js';

const planOf = (seed: number): FaultPlan =>
  new FaultPlan({ seed, servers: 3, stoppedMs: { min: 3_000, max: 20_000 } });

function faultsOf(seed: number, count: number): Fault[] {
  const plan = planOf(seed);
  return Array.from({ length: count }, () => plan.next());
}

const stepOf = ({ at }: Fault): StreamStep | undefined =>
  at.kind === 'step' ? at.step : undefined;

describe('a plan of faults', () => {
  test('is the same for the same seed, and another one for another', () => {
    expect(faultsOf(1, 30)).toEqual(faultsOf(1, 30));
    expect(faultsOf(1, 30)).not.toEqual(faultsOf(2, 30));
  });

  test.each([1, 2, 3, 4, 5])('comes to every step with fifty faults: seed %i', (seed) => {
    const planned = faultsOf(seed, 50).map(stepOf);
    expect(streamSteps.filter((step) => !planned.includes(step))).toEqual([]);
  });

  test('has each kind among the first five', () => {
    const kinds = faultsOf(3, 5).map(({ kind }) => kind);
    expect(faultKinds.filter((kind) => !kinds.includes(kind))).toEqual([]);
  });

  test('lets steps of a start follow the death of a process that left rows', () => {
    const steps = faultsOf(4, 50).map(stepOf);
    const at = steps.indexOf('restored rows sent but for their marker');
    expect(steps.slice(at - 1, at + 2)).toEqual([
      'publication begins',
      'restored rows sent but for their marker',
      'fence read',
    ]);
  });

  test('stops jobs for three to twenty seconds', () => {
    const stopped = faultsOf(5, 200).flatMap((fault) =>
      fault.kind === 'zombie' ? [fault.stoppedMs] : [],
    );
    expect(Math.min(...stopped)).toBeGreaterThanOrEqual(3_000);
    expect(Math.max(...stopped)).toBeLessThanOrEqual(20_000);
    expect(stopped.length).toBeGreaterThan(20);
  });

  test('comes back to a step that was not reached', () => {
    const plan = planOf(6);
    const fault = plan.next();
    plan.notReached(fault);
    expect(stepOf(plan.next())).toBe(stepOf(fault));
  });
});
