import type { JetstreamGuarantee } from '@millrace/connectors';
import type { JobName } from './jobs.js';

/** What a process of a measurement is to do, as JSON in its arguments. */
export type ChildTask = RunTask | PublishTask | SubscribeTask;

/** Runs a job until it is told to stop; tells each second how far it is. */
export interface RunTask {
  readonly kind: 'run';
  readonly server: string;
  readonly job: JobName;
  readonly guarantee: JetstreamGuarantee;
  readonly folder: string;
  /** Between checkpoints, ms. */
  readonly intervalMs: number;
}

/** Publishes records at a fixed rate. */
export interface PublishTask {
  readonly kind: 'publish';
  readonly server: string;
  readonly recordsPerSecond: number;
}

/** Receives what comes into the output stream, and notes how old it is. */
interface SubscribeTask {
  readonly kind: 'subscribe';
  readonly server: string;
}

/** Said by a process of a measurement, one a line. */
export interface Progress {
  /** Machine's monotonic clock, ms. */
  readonly nowMs: number;
  /** Records read, published or received. */
  readonly records: number;
  /** Of the process, since it began. */
  readonly cpuMs: number;
  readonly rssMiB: number;
  readonly checkpoints?: number | undefined;
  /** Ages of what was received since the last time, µs. */
  readonly agesUs?: readonly number[] | undefined;
}

/** The same clock for all processes of the machine, µs. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);
