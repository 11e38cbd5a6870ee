/** How a job ended. */
export interface JobResult {
  readonly status: 'finished' | 'cancelled';
  readonly metrics: JobMetrics;
  /** From start to end, ms. */
  readonly durationMs: number;
}

/** A snapshot of all metrics, in Flink's names. */
export interface JobMetrics {
  /** By operator id: `numRecordsIn`, `numRecordsOut`, `currentInputWatermark`, … */
  readonly operators: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Records sent, by edge id. */
  readonly edges: Readonly<Record<string, { readonly records: number }>>;
}

/** Where a job stands. */
export interface JobProgress {
  readonly status: 'running' | 'finished' | 'cancelled' | 'failed';
  /** Records read by all sources. */
  readonly recordsIn: number;
  /** Records written to all sinks. */
  readonly recordsOut: number;
  /** Lowest watermark of the sinks, epoch ms; −∞ before the first, +∞ at the end. */
  readonly watermarkMs: number;
  readonly uptimeMs: number;
}

/** A running job. */
export interface JobHandle {
  readonly name: string;
  /**
   * Resolves when all input is dealt with, or the job was cancelled. Rejects with a
   * `MillraceError` that names job, operator and position when it failed.
   */
  readonly done: Promise<JobResult>;
  /** Stops the job where it stands; sinks are closed, not completed. Resolves when it is over. */
  cancel(): Promise<void>;
  metrics(): JobMetrics;
  progress(): JobProgress;
}
