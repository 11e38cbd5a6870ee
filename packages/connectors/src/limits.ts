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
  /** For how long the first connection to NATS is tried, ms; then the restart strategy decides. */
  natsFirstConnectMs: 30_000,
  /** For one attempt to connect, ms: a server that is paused accepts and says nothing. */
  natsConnectTimeoutMs: 5_000,
  /** First and longest wait between attempts to reconnect, ms; plus or minus half. */
  natsReconnectMinMs: 50,
  natsReconnectMaxMs: 2_000,
  /** How often the client pings, ms. After two pings without an answer the connection is given up. */
  natsPingIntervalMs: 5_000,
  natsPingsUnansweredMax: 2,
  /** Refusals in a row, after a connection that was accepted, that end it: secrets can be renewed. */
  natsRefusalsMax: 3,
  /** For what is still on its way when a connection is closed, ms. */
  natsDrainMs: 5_000,
  /** For an answer of the JetStream API, ms. */
  natsApiTimeoutMs: 5_000,
} as const;
