import type { BuiltJob } from '@millrace/core';
import type { CheckpointOptions } from '@millrace/runtime';
import { type EmbeddedJob, startJob } from '@millrace/runtime/internal';
import { type SimulatedDisk, type VirtualEnv, virtualEnv } from '@millrace/testing';

/** A job as a process of its own, in virtual time. */
export interface VictimRun {
  readonly env: VirtualEnv;
  readonly job: EmbeddedJob;
}

/** Turns of the event loop after which what has not ended never will. */
const turnsMax = 20_000;
const stepMs = 10;
const turnsPerStep = 6;

export function runVictim(
  disk: SimulatedDisk,
  job: BuiltJob,
  checkpoints: CheckpointOptions,
  seed: number,
): VictimRun {
  const env = virtualEnv({ storage: disk.process(`run ${seed}`), seed });
  return { env, job: startJob(job, { env, checkpoints, codegen: 'off' }) };
}

/** Lets time pass until the job has ended, or `until` says so. */
export async function passTime(
  { env, job }: VictimRun,
  until: () => boolean = () => false,
): Promise<void> {
  const state = { hasEnded: false };
  const end = (): void => {
    state.hasEnded = true;
  };
  job.done.then(end, end);
  for (let turn = 0; !state.hasEnded && !until(); turn += turnsPerStep) {
    if (turn > turnsMax) throw new Error('hangs: the job does not come to an end');
    env.advance(stepMs);
    for (let i = 0; i < turnsPerStep; i += 1) await nextTurn();
  }
}

/** What a promise gives; rejects when it does not settle in turns that no work needs. */
export async function settled<T>(promise: Promise<T>): Promise<T> {
  const state = { isSettled: false };
  const end = (): void => {
    state.isSettled = true;
  };
  promise.then(end, end);
  for (let turn = 0; !state.isSettled; turn += 1) {
    if (turn > turnsMax) throw new Error('hangs: the restore does not come to an end');
    await nextTurn();
  }
  return promise;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
