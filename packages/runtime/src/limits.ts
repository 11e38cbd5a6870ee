/** Every bound of the runtime, with its unit and its reason. */
export const runtimeLimits = {
  /** Batches that wait in a channel before its sender has no more credit. */
  channelBatchesMax: 2,
  /**
   * The same where records come from other slots, too: a subtask waits for what is behind in event
   * time, and its own slot's source goes on meanwhile.
   */
  channelBatchesBesideMax: 8,
  /**
   * Bytes of V8's code that may become part of one optimized function: a record loop and all that it
   * calls for each record come to about 1,500.
   */
  inlinedBytesMax: 2_500,
  /** Bytes that rows may take in memory with the level backend; by default. */
  stateMemoryBytesDefault: 256 * 1024 * 1024,
  /** Places of a job that run side by side; more subtasks than key groups have nothing to do. */
  slotsMax: 256,
  /** Time between two looks at how far a slot's members of an alignment group are, ms. */
  alignmentUpdateMs: 100,
  /** Time between two readings of the metrics of a slot in another thread, ms. */
  slotMetricsMs: 250,
  /** Time that a slot in another thread has to end by itself, ms; then its thread is ended. */
  slotCloseMs: 5_000,
  /** Time that it has to end what it does when it is told to stop, ms: sinks may publish yet. */
  slotStopMs: 20_000,
  /** How often a slot is looked at, and how long one step may take before that is said, ms. */
  slotWatchMs: 500,
  slotBlockedMs: 2_000,
  /** Time that records wait for more of their kind before they go to another subtask, ms. */
  lingerMs: 10,
  /** Time between two flushes of a stage that has nothing else to do, in several slots, ms. */
  flushPauseMs: 1,
  /**
   * Bytes that a channel between slots may have on their way: some batches of full records, so that
   * neither side waits for the other's answer.
   */
  channelBytesMax: 256 * 1024,
  /** Bytes that each batch between slots counts for at least: a channel has 16 of them on their way. */
  frameCreditMin: 16 * 1024,
  /**
   * Records that may wait in a channel, whatever its credit, so that what was begun ends ahead of a
   * barrier that overtakes: a firing of windows, for example. With more, it waits for credit.
   */
  overdraftRecordsMax: 16_384,
  /** The same for a channel between slots, bytes. */
  overdraftBytesMax: 4 * 1024 * 1024,
  /**
   * Bytes of a channel that are noted for a checkpoint while its barrier is on its way; beyond them
   * the channel waits for its barrier, so that a checkpoint takes bounded memory.
   */
  recordedBytesMax: 1024 * 1024,
  /**
   * Time that a gate waits for a channel that is behind in event time and has just given something,
   * ms: longer than a batch takes to come, shorter than anybody notices.
   */
  gateHoldMs: 5,
  /** Share of these bytes after which a receiver says that it has taken them. */
  creditShare: 0.25,
  /** Batches an output keeps for reuse. */
  pooledBatchesMax: 4,
  /** Rows of the largest batch that is used again; larger ones are rare and not kept. */
  pooledCapacityMax: 512,
  /** Length of a turn, ms: after it I/O, timers and other work of the process have theirs. */
  turnMs: 1,
  /** Metric names that an operator's functions may create: each becomes a time series. */
  userMetricsPerOperatorMax: 100,
  /** Window of the error ceiling, ms. */
  errorWindowMs: 60_000,
  /** Parts in which it moves on. */
  errorWindowParts: 6,
  /** Share of failed records above which a job fails, unless the policy says otherwise. */
  errorCeilingDefault: 0.1,
  /** The ceiling does not act on fewer records than this. */
  errorCeilingRecordsMin: 100,
  /** Share of `idleAfter` between two looks at which splits of a busy reader are empty. */
  idleLookShare: 0.25,
  /**
   * Share of `idleAfter` that the time between two such looks counts for at most: three of them find
   * a split empty before it is idle, also where the process was stopped meanwhile.
   */
  idleCreditShare: 0.5,
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
  /** Time that barriers have to reach all tasks in their places, ms; then they overtake. */
  alignmentTimeoutMsDefault: 10_000,
  /** Checkpoints in a row that are not aligned in time, with none between: the attempt fails. */
  alignmentTimeoutsInRowMax: 3,
  /** Failed checkpoints in a row that a job endures; each lengthens what a restart repeats. */
  toleratedFailuresDefault: 3,
  /** Checkpoints that are kept: the last one, and one more in case that is damaged. */
  retainedCheckpointsDefault: 2,
  /** Times the newest checkpoint is looked at while a job keeps replacing it. */
  inspectTriesMax: 5,
  /** Ids reserved ahead with each commit, so that the next one needs no writing of its own. */
  checkpointIdsReserved: 1,
  /** Past checkpoints that are remembered for metrics and the command line. */
  checkpointHistoryMax: 32,
  /** Answers that may be lost in a row when a commit is written; then the attempt fails. */
  commitTriesMax: 3,
  /** How often a failed job asks whether another one has taken over, and how long it waits, ms. */
  ownerTriesMax: 4,
  ownerRetryMs: 50,
  /** Commits of a living owner that a take-over is overtaken by before it gives up. */
  takeOverTriesMax: 64,
  /** Commits without an answer that are remembered, should one of them turn out to have happened. */
  unansweredCommitsMax: 8,
  /** Bytes a link keeps until they are acknowledged; a server of NATS holds 64 MiB a client. */
  linkBufferBytesMax: 4 << 20,
  /** Datagrams a link keeps until they are acknowledged, and has on their way. */
  linkWindowDatagramsMax: 2_048,
  /** Datagrams on their way however many were lost: a few, so that one loss is noticed by another. */
  linkWindowDatagramsMin: 8,
  /** Bytes of a frame; more is no record but a mistake, and whoever receives it must hold it. */
  linkFrameBytesMax: 32 << 20,
  /** Frames taken without room. One of each channel does no harm; more come from who never looks. */
  linkFramesBeyondRoomMax: 1_024,
  /** Datagrams after which the receiver acknowledges, so that the sender always has room. */
  linkAckDatagrams: 32,
  /** Bytes after which the receiver acknowledges. */
  linkAckBytes: 256 << 10,
  /** Time that an acknowledgement waits for data to travel with, ms. */
  linkAckDelayMs: 5,
  /** Time without progress after which a link asks what has arrived, ms; doubles each time. */
  linkProbeMs: 100,
  /** Longest time between two such questions, ms: what a link is late by when its peer is back. */
  linkProbeMsMax: 1_000,
  /** Time without progress after which a link fails, ms: a server's restart takes less. */
  linkStallMs: 15_000,
  /** A timer late by more, ms: the process was stopped, and answers may wait to be read. */
  linkSleepMs: 1_000,
  /** Rows of a batch in a frame: as many as one record may emit; a false count allocates little. */
  frameRowsMax: 65_536,
  /** Bytes of a frame; records that take more are refused, not sent. */
  frameBytesMax: 512 << 20,
  /** Rows × properties of the objects in a frame: equal ones take next to no bytes. */
  frameCellsMax: 1 << 22,
  /** Splits that a frame says its records came from; of more it says nothing. */
  framePlacesMax: 8,
  /** Properties of objects that are cut into columns: V8 makes no fast literals of 128. */
  shapePropertiesMax: 120,
  /** Objects within objects that are cut into columns. */
  shapeDepthMax: 8,
  /** Shapes of objects that a codec remembers; then it forgets all and learns again. */
  shapesMax: 256,
  /** Batches at least from one time that a codec forgets all shapes to the next. */
  forgetShapesBatches: 64,
  /** Shapes that a codec generates code for: more are no shapes, but names that are data. */
  generatedShapesMax: 64,
  /** Classes of rows in a column of mixed values, shapes among them. */
  columnClassesMax: 18,
  /** Shapes among them: there are six classes beside. */
  columnShapesMax: 12,
  /** Distinct strings of a column that is sent as a dictionary. */
  dictionaryEntriesMax: 64,
  /** Batches at most between two tries whether a column makes a dictionary. */
  dictionaryPauseMax: 64,
  /** Strings cut out of one slice: one that is kept keeps the others of its slice in memory. */
  stringsPerSlice: 8,
  /** Characters of a slice that strings are cut out of; longer ones are slices of their own. */
  sliceLengthMax: 2_048,
  /** Characters of a column of strings that are joined before they are written. */
  columnTextLengthMax: 16 << 20,
} as const;
