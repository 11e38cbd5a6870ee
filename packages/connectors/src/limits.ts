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
  /** Characters of a job's name, and of an operator's id, in a file name, which has 255 bytes. */
  shownIdChars: 40,
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
  /** Splits of a source that reads streams: all of them are read at the same time. */
  natsSplitsMax: 64,
  /** Messages of a split that were asked for and not given to the job yet. */
  natsSplitMessagesMax: 4_096,
  /** Bytes of the same, of all splits of a reader and of one of many. */
  natsReaderBytesMax: 16_777_216,
  natsSplitBytesMin: 262_144,
  /** For the first attempt to make a consumer in the place of one that is lost, ms. */
  natsConsumerTimeoutMs: 1_000,
  /** How often an idle consumer says that it lives, ms, and how many such times it may be silent. */
  natsHeartbeatMs: 500,
  natsSilentHeartbeatsMax: 3,
  /** For how long a consumer is asked for messages at once, ms. */
  natsPullExpiresMs: 5_000,
  /** After so long without a question a server drops the consumer of a reader that is gone, ms. */
  natsConsumerInactiveMs: 60_000,
  /** Messages of a subject of core NATS that are held for the job, unless its option says so. */
  natsCoreBufferMax: 65_536,
  /** Messages read and not acknowledged of a stream that keeps messages until then. */
  natsAckPendingMax: 65_536,
  /** After so long without being acknowledged a message is delivered again, ms. */
  natsAckWaitMs: 3_600_000,
  /** How often a stream that may lose messages before they are read is looked at, ms. */
  natsStreamCheckMs: 2_000,
  /** Messages of an atomic batch without its marker; servers take 1,000. */
  natsBatchMessagesMax: 900,
  /** Bytes of an atomic batch, unless a single message has more: it is in memory as a whole. */
  natsBatchBytesMax: 1_048_576,
  /** Bytes of output on their way into the checkpoint store; writing waits beyond them. */
  natsStagingBytesMax: 8_388_608,
  /** Messages, and bytes of them, that are published and not acknowledged. */
  natsInFlightMessagesMax: 4_096,
  natsInFlightBytesMax: 8_388_608,
  /** For the acknowledgement of what was published, ms. */
  natsPublishTimeoutMs: 5_000,
  /** First and longest wait before something is published again, ms; plus or minus half. */
  natsRetryMinMs: 20,
  natsRetryMaxMs: 1_000,
  /** For how long that is tried while connected, ms; then the restart strategy decides. */
  natsPublishPatienceMs: 60_000,
  /** Times a fence is read that seems to have gone back: a server may lag behind its cluster. */
  natsFenceLooksMax: 5,
  /** Subjects of messages that were found valid and are remembered. */
  natsSubjectsRememberedMax: 10_000,
} as const;
