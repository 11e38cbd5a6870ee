import { type BuiltJob, fingerprint, MillraceError } from '@millrace/core';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import { commitRecordOf, manifestOf } from '../checkpoint/checkpoint-folder.js';
import { CheckpointCoordinator } from '../checkpoint/coordinator-shell.js';
import { folderStores } from '../checkpoint/folder-stores.js';
import type { Manifest, StateSummary } from '../checkpoint/manifest.js';
import type { RestorePoint } from '../checkpoint/restore-point.js';
import { lostParts, refuseDifferences } from '../checkpoint/state-difference.js';
import { groupCount } from '../plan/physical-plan.js';
import { type CheckpointOptions, scheduleOf } from './checkpoint-options.js';

export interface JobCheckpointsParts {
  readonly job: BuiltJob;
  readonly env: Env;
  readonly options: CheckpointOptions;
  readonly states: () => readonly StateSummary[];
  readonly onFailure: (error: MillraceError) => void;
  readonly onAlarm: (error: MillraceError | undefined) => void;
}

/** A job's checkpoint folder with the coordinator that owns it. */
export interface JobCheckpoints {
  readonly store: CheckpointStore;
  readonly coordinator: CheckpointCoordinator;
  readonly restored: RestorePoint | undefined;
}

/** Takes over a job's checkpoint folder. */
export async function openCheckpoints(parts: JobCheckpointsParts): Promise<JobCheckpoints> {
  const { job, env, options, states, onFailure, onAlarm } = parts;
  const { folder, from, at, acceptReplay } = options;
  if (at !== undefined && from === undefined) {
    const detail = `checkpoint ${at} of which folder is not said: give from, too`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { field: 'at' });
  }
  const own = folderStores(env, folder);
  const owner = (await commitRecordOf(own))?.job;
  if (owner !== undefined && owner !== job.graph.job) {
    const detail = `${folder} has the checkpoints of the job ${owner}`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { field: 'folder' });
  }
  const { checkpoints: store, meta } = own;
  const graph = { keyGroups: groupCount, fingerprint: fingerprint(job.graph), states };
  const coordinator = new CheckpointCoordinator({
    env,
    job: job.graph.job,
    checkpoints: store,
    meta,
    schedule: scheduleOf(options),
    graph,
    onFailure,
    onAlarm,
    clean: (assertOwner) => own.clean(assertOwner),
  });
  const origin = from === undefined ? undefined : await manifestOf(env, from, at);
  // What is refused now leaves the folder as it was.
  if (origin !== undefined) refuseUnfit(parts, origin.manifest);
  const restored = await coordinator.open({ from: origin, acceptReplay });
  if (restored !== undefined) refuseUnfit(parts, restored.manifest);
  return { store, coordinator, restored };
}

/** What can be told of a checkpoint before any operator is there. */
function refuseUnfit({ job: { graph }, options }: JobCheckpointsParts, manifest: Manifest): void {
  const { keyGroups } = manifest;
  if (keyGroups !== groupCount) {
    const detail = `it has ${keyGroups} key groups, the job ${graph.job} has ${groupCount}`;
    throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail);
  }
  refuseDifferences(lostParts(manifest, graph.nodes), options.allowStateChange ?? []);
}
