/**
 * Every bound of core, with its unit and its reason. A bound that users may move is an option
 * whose default stands here.
 */
export const coreLimits = {
  /** Records in a batch. Batches of 100 cost a quarter more per record, of 5,000 gain nothing. */
  batchRecordsMax: 512,
  /**
   * Rows that one record may emit at once beyond its operator's credit. An operator that has more
   * to say returns an iterator, which the engine takes in steps.
   */
  recordOutputRowsMax: 65_536,
  /** Slices of one window; above it records are stored per window instead of per slice. */
  windowSlicesMax: 64,
  /** Windows one record may belong to; an assigner that gives more is refused. */
  windowsPerRecordMax: 4_096,
  /**
   * Event timers that fire at the end of input for each one that stands then, and in any case: with
   * more, timers set each other for ever. It is an hourly timer of six weeks for each, and one of each
   * second of 115 days for all: without watermarks all of a job's timers fire at the end.
   */
  endTimersEachMax: 1_000,
  endTimersMin: 10_000_000,
  /** Key groups of a job unless it says otherwise; fixed when the job is created. */
  keyGroupsDefault: 256,
  /** Records of an edge that are frozen and round-tripped through the codec in development. */
  checkedRecordsPerEdge: 1_000,
  /** Characters of an operator id: it becomes a file name and a metric label. */
  operatorIdLengthMax: 100,
} as const;
