import type { MessagePort } from 'node:worker_threads';
import type { JobParams } from '@millrace/core';
import { MillraceError, type MillraceErrorJson } from '@millrace/core';
import type { Manifest } from '../checkpoint/manifest.js';
import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import type { SlotControl, SlotListener, SlotMetrics } from '../job/slot-control.js';
import type { PlanOptions } from '../plan/physical-plan.js';

/** The module of a job, and how it is run: all that a thread needs to make its slot. */
export interface SlotThreadSpec {
  /** URL of a module whose default export is the job, or a function that gives it. */
  readonly module: string;
  /** What that function is called with. */
  readonly moduleArgument: unknown;
  readonly params: JobParams | undefined;
  /** Of the graph that the other slots run. */
  readonly fingerprint: string;
  readonly planOptions: PlanOptions;
  readonly slot: number;
  readonly attempt: number;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  /** For all slots together. */
  readonly stateBytesMax: number;
  readonly backend: 'heap' | 'level';
  readonly stateMemoryBytes: number;
  readonly checkpoints: ThreadCheckpoints | undefined;
  /** Where the slot says what it is doing; see `Pulse`. */
  readonly pulse: Int32Array;
  /** To each other slot. */
  readonly ports: ReadonlyMap<number, MessagePort>;
}

/** The same folder is opened in each thread. */
interface ThreadCheckpoints extends Pick<SinkCheckpointsParts, 'name' | 'lineage' | 'replay'> {
  readonly folder: string;
  readonly restored: Manifest | undefined;
}

/** Calls of a slot that have an answer. */
export type AskedMethod = 'build' | 'open' | 'start' | 'sinksQuiet' | 'close';
/** Those that have none. */
export type ToldMethod = Exclude<keyof SlotControl, AskedMethod | 'metrics' | 'fail'>;

/** To the thread. */
export type SlotCommand =
  | { readonly kind: 'ask'; readonly id: number; readonly method: AskedMethod }
  | { readonly kind: 'tell'; readonly method: ToldMethod; readonly args: readonly unknown[] }
  | { readonly kind: 'fail'; readonly error: MillraceErrorJson };

/** From the thread. */
export type SlotReport =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: MillraceErrorJson }
  | { readonly kind: 'event'; readonly name: keyof SlotListener; readonly args: readonly unknown[] }
  | {
      readonly kind: 'declined';
      readonly task: string;
      readonly checkpoint: number;
      readonly error: MillraceErrorJson;
    }
  | { readonly kind: 'failed'; readonly error: MillraceErrorJson }
  | { readonly kind: 'metrics'; readonly metrics: SlotMetrics };

/** An error that was in another thread. Its cause is there as text. */
export function errorFromJson(json: MillraceErrorJson): MillraceError {
  const { code, detail, cause, job, operator, position, field } = json;
  return new MillraceError(code, detail, { cause, job, operator, position, field });
}
