import { parentPort, workerData } from 'node:worker_threads';
import { type BuiltJob, fingerprint, isJobDefinition, MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { StateBackendOptions } from '@millrace/state';
import { folderStores } from '../checkpoint/folder-stores.js';
import { Compiler } from '../codegen/compiler.js';
import { Pulse } from '../engine/pulse.js';
import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import { createTaskState } from '../job/attempt-state.js';
import { Slot } from '../job/slot.js';
import type { SlotListener } from '../job/slot-control.js';
import { runtimeLimits } from '../limits.js';
import { MetricRegistry } from '../metrics/metric-registry.js';
import { planPhysically } from '../plan/physical-plan.js';
import { monotoneWallClock } from '../time/wall-clock.js';
import { markSlotThread } from './is-slot-thread.js';
import { nodeEnv } from './node-env.js';
import { scratchFolders } from './scratch-folder.js';
import { threadLanes } from './thread-lanes.js';
import type { SlotCommand, SlotReport, SlotThreadSpec } from './thread-messages.js';
import { errorFromJson } from './thread-messages.js';

/** The module a slot's thread begins with: makes the slot and does what it is told. */
const spec = workerData as SlotThreadSpec;
const env = nodeEnv();

const report = (message: SlotReport): void => parentPort!.postMessage(message);

const listener: SlotListener = {
  acknowledged: (...args) => report({ kind: 'event', name: 'acknowledged', args }),
  declined: (task, checkpoint, error) =>
    report({ kind: 'declined', task, checkpoint, error: error.toJSON() }),
  sourceEnded: (...args) => report({ kind: 'event', name: 'sourceEnded', args }),
  aligned: (...args) => report({ kind: 'event', name: 'aligned', args }),
  wantsCheckpoint: (...args) => report({ kind: 'event', name: 'wantsCheckpoint', args }),
  failed: (error) => report({ kind: 'failed', error: error.toJSON() }),
};

async function loadedJob(): Promise<BuiltJob> {
  markSlotThread();
  const loaded = (await import(spec.module)) as { readonly default?: unknown };
  const made: unknown =
    typeof loaded.default === 'function'
      ? await loaded.default(spec.moduleArgument)
      : loaded.default;
  if (!isJobDefinition(made)) {
    throw new MillraceError('ERR_JOB_FILE', `the default export of ${spec.module} is no job`);
  }
  const job = made.build(spec.params);
  if (fingerprint(job.graph) === spec.fingerprint) return job;
  const detail = `${spec.module} gives another job than the one that was started`;
  throw new MillraceError('ERR_JOB_FILE', detail, { job: job.graph.job });
}

function checkpointsOf(): SinkCheckpointsParts | undefined {
  if (spec.checkpoints === undefined) return undefined;
  const { folder, ...own } = spec.checkpoints;
  return { ...own, store: folderStores(env, folder).checkpoints };
}

async function createSlot(): Promise<Slot> {
  const job = await loadedJob();
  const plan = planPhysically(job, spec.planOptions);
  const { slot, backend, stateMemoryBytes, attempt, checkpoints } = spec;
  return new Slot({
    ...spec,
    job,
    plan,
    env,
    compiler: new Compiler(job.graph.job),
    metrics: new MetricRegistry(),
    nowMs: monotoneWallClock(env.clock),
    createState: (own: StateBackendOptions, task) =>
      createTaskState(own, {
        backend,
        memoryBytes: stateMemoryBytes * task.stateShare,
        scratch: scratchFolders,
        folder: checkpoints?.folder,
        name: `attempt-${checkpoints?.name ?? attempt}-${task.id}-${slot}`,
      }),
    checkpoints: checkpointsOf(),
    openLane: threadLanes(spec.ports),
    listener,
    pulse: new Pulse(spec.pulse),
  });
}

let slot: Slot | undefined;
/** What was told before the slot was made. */
const early: (() => void)[] = [];

function whenMade(act: (made: Slot) => void): void {
  if (slot === undefined) early.push(() => act(slot!));
  else act(slot);
}

async function answer(id: number, ask: () => Promise<unknown>): Promise<void> {
  try {
    const value = await ask();
    if (slot !== undefined) report({ kind: 'metrics', metrics: slot.metrics() });
    report({ kind: 'answer', id, value });
  } catch (error) {
    report({ kind: 'failure', id, error: toMillraceError(error, 'ERR_INVARIANT').toJSON() });
  }
}

parentPort!.on('message', (command: SlotCommand) => {
  switch (command.kind) {
    case 'ask': {
      const { id, method } = command;
      void answer(id, async () => {
        if (method === 'build') {
          slot = await createSlot();
          for (const tell of early.splice(0)) tell();
        }
        return slot?.[method]();
      });
      break;
    }
    case 'tell':
      whenMade((made) => {
        // The message was made from the same interface.
        const method = made[command.method] as (...args: readonly unknown[]) => void;
        method.apply(made, command.args as unknown[]);
      });
      break;
    case 'fail':
      whenMade((made) => made.fail(errorFromJson(command.error)));
  }
});

setInterval(() => {
  if (slot !== undefined) report({ kind: 'metrics', metrics: slot.metrics() });
}, runtimeLimits.slotMetricsMs).unref();
