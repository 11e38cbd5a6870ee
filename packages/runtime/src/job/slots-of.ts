import { type BuiltJob, fingerprint, MillraceError } from '@millrace/core';
import type { Env } from '@millrace/core/spi';
import { isProduction } from '../host/node-env.js';
import type { Scratch } from '../host/scratch-folder.js';
import { ThreadSlots } from '../host/thread-slots.js';
import { runtimeLimits } from '../limits.js';
import { type PhysicalPlan, type PlanOptions, planPhysically } from '../plan/physical-plan.js';
import { codegenOf } from './attempt.js';
import { LocalSlots, type MakeLanes } from './local-slots.js';
import type { RunOptions } from './run.js';
import type { SlotProvider } from './slot-provider.js';

/** What a simulation puts in the place of the real things. */
export interface Surroundings {
  /** Where the level backend keeps rows outside memory. Default: folders on disk. */
  readonly scratch?: Scratch | undefined;
  /** Makes the lanes of an attempt whose slots are in this thread. Default: queues. */
  readonly lanes?: MakeLanes | undefined;
}

/** How a job is planned with these options. */
export function planOptionsOf({
  slots = 1,
  parallelism,
  codegen,
  backend,
}: RunOptions): PlanOptions {
  const phases = codegenOf(codegen);
  // Keyed operators that load state ahead of their input take it in batches.
  return { fusion: backend === 'level' ? 'off' : phases, phases, slots, parallelism };
}

/** Where a job runs: in this thread, or with several slots in threads of their own. */
export function slotsOf(
  job: BuiltJob,
  options: RunOptions,
  env: Env,
  { scratch, lanes }: Surroundings & { readonly scratch: Scratch },
): { readonly plan: PhysicalPlan; readonly slots: SlotProvider } {
  const planOptions = planOptionsOf(options);
  const plan = planPhysically(job, planOptions);
  const parts = {
    plan,
    env,
    codegen: codegenOf(options.codegen),
    checkRecords: options.checkRecords ?? (isProduction() ? 'off' : 'on'),
    stateBytesMax: options.stateBytesMax ?? Infinity,
    backend: options.backend ?? 'heap',
    stateMemoryBytes: options.stateMemoryBytes ?? runtimeLimits.stateMemoryBytesDefault,
    checkpointFolder: options.checkpoints?.folder,
  } as const;
  const isHere = options.module === undefined && options.env !== undefined;
  if (plan.slots === 1 || isHere) {
    return { plan, slots: new LocalSlots({ ...parts, job, scratch, lanes }) };
  }
  const slots = new ThreadSlots({
    ...parts,
    planOptions,
    module: moduleOf(options),
    moduleArgument: options.moduleArgument,
    params: job.graph.params,
    fingerprint: fingerprint(job.graph),
  });
  return { plan, slots };
}

function moduleOf({ module }: RunOptions): string {
  if (module !== undefined) return String(module);
  const detail = 'several slots run in threads, which load the job from a module of their own';
  throw new MillraceError('ERR_INVALID_OPTION', detail, { field: 'module' });
}
