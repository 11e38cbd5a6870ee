/** Every bound of the runtime, with its unit and its reason. */
export const runtimeLimits = {
  /** Batches that wait in a channel before its sender has no more credit. */
  channelBatchesMax: 2,
  /** Batches an output keeps for reuse. */
  pooledBatchesMax: 4,
  /** Rows of the largest batch that is used again; larger ones are rare and not kept. */
  pooledCapacityMax: 512,
  /** Length of a turn, ms: after it I/O, timers and other work of the process have theirs. */
  turnMs: 2,
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
  /** Share of a state limit from which on there is a warning. */
  stateAlarmShare: 0.8,
  /** Segments in a chain beyond which checkpoints wait for merging, which aims at 16. */
  chainSegmentsMax: 32,
  /** Bytes of a snapshot that are encoded and not written yet; encoding waits beyond them. */
  snapshotBytesInFlightMax: 16 << 20,
  /** Length of one step of encoding a snapshot between batches, ms: what a batch may be late by. */
  snapshotStepMs: 1,
  /**
   * Time between such steps while there are batches, ms. Short: rows that change ahead of being
   * encoded are copied, which takes longer than encoding them.
   */
  snapshotPauseMs: 0.05,
  /** Rows encoded between two looks at the clock. */
  snapshotStepRows: 1_024,
  /** Stages one after another in a job; more is a mistake of a generator of jobs. */
  stagesMax: 10_000,
  /** Bytes of a blob in memory at a time while it is copied or compared. */
  blobReadBytes: 1024 * 1024,
  /** Folders that a store knows to exist; for others it asks the disk again. */
  foldersRememberedMax: 1_000,
  /** Revisions of a record that stay in its folder: more than one may overlook while reading. */
  revisionsKept: 16,
  /** Readings of a record in a row that were overtaken by writers before it is an error. */
  overtakenReadsMax: 100,
  /** Time between the starts of two checkpoints, ms: what a restart repeats at most. */
  checkpointIntervalMsDefault: 1_000,
  /** Time without a checkpoint after one has ended, ms: work goes on between slow ones. */
  checkpointPauseMsDefault: 500,
  /** Time after which a checkpoint that does not complete is given up, ms. */
  checkpointTimeoutMsDefault: 600_000,
  /** Failed checkpoints in a row that a job endures; each lengthens what a restart repeats. */
  toleratedFailuresDefault: 3,
  /** Checkpoints that are kept: the last one, and one more in case that is damaged. */
  retainedCheckpointsDefault: 2,
  /** Ids reserved ahead with each commit, so that the next one needs no writing of its own. */
  checkpointIdsReserved: 1,
  /** Past checkpoints that are remembered for metrics and the command line. */
  checkpointHistoryMax: 32,
  /** Answers that may be lost in a row when a commit is written; then the attempt fails. */
  commitTriesMax: 3,
  /** Commits of a living owner that a take-over is overtaken by before it gives up. */
  takeOverTriesMax: 64,
  /** Commits without an answer that are remembered, should one of them turn out to have happened. */
  unansweredCommitsMax: 8,
} as const;
