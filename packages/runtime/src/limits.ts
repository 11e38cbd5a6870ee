/** Every bound of the runtime, with its unit and its reason. */
export const runtimeLimits = {
  /** Batches that wait in a channel before its sender has no more credit. */
  channelBatchesMax: 2,
  /** Batches an output keeps for reuse. */
  pooledBatchesMax: 4,
  /** Rows of the largest batch that is used again; larger ones are rare and not kept. */
  pooledCapacityMax: 512,
  /** Length of a turn, ms: after it I/O, timers and other work of the process have theirs. */
  turnMs: 8,
  /** Metric names that an operator's functions may create: each becomes a time series. */
  userMetricsPerOperatorMax: 100,
  /** Window of the error ceiling, ms. */
  errorWindowMs: 60_000,
  /** Share of failed records above which a job fails, unless the policy says otherwise. */
  errorCeilingDefault: 0.1,
  /** The ceiling does not act on fewer records than this. */
  errorCeilingRecordsMin: 100,
  /** Splits are discovered again this often, ms, while a source says there may be more. */
  splitDiscoveryMs: 1_000,
  /** Stages one after another in a job; more is a mistake of a generator of jobs. */
  stagesMax: 10_000,
} as const;
