import { createHash } from 'node:crypto';
import type { BuiltJob } from '@millrace/core';
import { canonicalJson } from '@millrace/core/internal';
import type { CheckpointStore } from '@millrace/core/spi';
import type { CheckpointOptions, Manifest } from '@millrace/runtime';
import {
  Compiler,
  heapState,
  instantiate,
  openCheckpoints,
  restoreState,
} from '@millrace/runtime/internal';
import type { SnapshotStateBackend } from '@millrace/state';
import { SegmentWriter } from '@millrace/state/internal';
import { type SimulatedDisk, type VirtualEnv, virtualEnv } from '@millrace/testing';

/** What a job would go on with. */
export interface Restored {
  readonly checkpoint: number;
  /** Of all state, positions, and what sinks prepared. */
  readonly digest: string;
}

const rowsPerStep = 100_000;
const groups = { first: 0, last: 255 };

/** Takes a job's folder over and loads its state; undefined when it would begin anew. */
export async function restoreVictim(
  disk: SimulatedDisk,
  job: BuiltJob,
  options: CheckpointOptions,
): Promise<Restored | undefined> {
  const env = virtualEnv({ storage: disk.process('restore'), seed: 99 });
  const nothing = (): void => undefined;
  const opened = await openCheckpoints({
    job,
    env,
    options,
    states: () => [],
    onFailure: nothing,
    onAlarm: nothing,
  });
  const manifest = opened.restored?.manifest;
  if (manifest === undefined) return undefined;
  const digest = await digestOf(env, job, manifest, opened.store);
  return { checkpoint: manifest.checkpoint, digest };
}

/** Loads a checkpoint into a fresh backend. Equal for equal content. */
export async function digestOf(
  env: VirtualEnv,
  job: BuiltJob,
  manifest: Manifest,
  store: CheckpointStore,
): Promise<string> {
  const backend = backendOf(env, job);
  await restoreState({
    manifest,
    store,
    backend,
    keyGroups: groups,
    chain: 'followed',
    pause: async () => undefined,
  });
  const { checkpoint, sources, sinks, states, keyGroups } = manifest;
  const facts = canonicalJson({ checkpoint, sources, sinks, states, keyGroups });
  return createHash('sha256').update(facts).update(contentOf(backend)).digest('hex');
}

/** With the states that the operators of the job declare. */
function backendOf(env: VirtualEnv, job: BuiltJob): SnapshotStateBackend {
  let backend: SnapshotStateBackend | undefined;
  instantiate(job, { env, codegen: 'off' }, new Compiler(job.graph.job), (own) => {
    const state = heapState({ ...own, tracking: 'tracked' });
    backend = state.backend;
    return state;
  });
  return backend!;
}

/** A full snapshot as bytes. */
function contentOf(backend: SnapshotStateBackend): Uint8Array {
  backend.abandon();
  for (const operator of backend.operators()) backend.freeze(operator);
  const writer = new SegmentWriter();
  const sink = {
    layout: (...args: Parameters<SegmentWriter['layout']>) => writer.layout(...args),
    add: (...args: Parameters<SegmentWriter['add']>) => writer.add(...args),
    drop: (layout: number, namespace: readonly number[]) => writer.add(layout, 'drop', namespace),
  };
  while (backend.step(sink, rowsPerStep) === 'more');
  writer.finish();
  return Buffer.concat(writer.takeChunks());
}
