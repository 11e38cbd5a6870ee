/** Every bound of the connectors, with its unit and its reason. */
export const connectorLimits = {
  /** Splits a reader has open at the same time; more cost file handles and buffers. */
  openSplitsMax: 16,
  /** Splits of one source; a pattern that matches more files is a mistake. */
  splitsMax: 10_000,
  /** Bytes of a block read from a file; smaller ones cost calls, larger ones gain nothing. */
  readBlockBytes: 131_072,
  /** Blocks read ahead of the job for each open file. */
  readAheadBlocksMax: 4,
  /** Characters of a line or CSV row (UTF-16 units); a longer one is refused as bad input. */
  lineCharsMax: 1_048_576,
  /** Characters kept of a line that is too long, to show what it was. */
  longLineHeadChars: 1_024,
  /** Columns of a CSV file; of a row with more, the rest is only counted. */
  csvColumnsMax: 4_096,
  /** Records fetched ahead of the job from an async iterable. */
  prefetchRecordsMax: 1_024,
  /** Records a `collectSink` keeps unless its option says otherwise: it is meant for tests. */
  collectedRecordsMax: 1_000_000,
  /** Characters a file sink gathers before it writes them. */
  writeBufferChars: 262_144,
  /** Bytes of a prepared file that are copied at once into the file that readers see. */
  publishBlockBytes: 1_048_576,
  /** Bytes at the beginning of a file, and before a position in it, that tell it from another. */
  identityBytes: 4_096,
} as const;
