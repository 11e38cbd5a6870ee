import type { JetstreamGuarantee } from '@millrace/connectors';
import type { JobName } from './jobs.js';

/** What a process of a measurement is to do, as JSON in its arguments. */
export type ChildTask = RunTask | SlowTask | PublishTask | SubscribeTask;

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

/** Runs a job whose sink takes records at a fixed rate, with a checkpoint each second. */
export interface SlowTask {
  readonly kind: 'slow';
  readonly server: string;
  readonly folder: string;
  readonly takenPerSecond: number;
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
  readonly facts?: SlowJobFacts | undefined;
}

/** What a job with a slow sink says of itself. */
export interface SlowJobFacts {
  /** Records that are in the stream, and that it has not read. */
  readonly pending: number;
  readonly reconnects: number;
  readonly consumersMade: number;
  readonly backPressuredMs: number;
  /** How many records its watermark is behind what it has read. */
  readonly watermarkLagRecords: number;
}

/** The same clock for all processes of the machine, µs. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);
