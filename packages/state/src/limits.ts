/** Every bound of this package, with its unit and its reason. */
export const stateLimits = {
  /** Rows a table has room for at first. */
  tableRowsInitial: 64,
  /** Share of a table's hash cells in use before it grows: linear probing slows down beyond. */
  hashLoadMax: 0.5,
  /** Keys of a table, other than integers, from which on short texts among them are kept as bytes. */
  textKeysMin: 16_384,
  /**
   * Characters of a text key that is kept as bytes: those of a UUID and a few more. Of longer ones
   * the hash, which a JavaScript string remembers, would cost more than it saves.
   */
  textKeyCharsMax: 40,
  /**
   * Cells of other texts on the way to a free one beyond which a text goes where other keys are: by
   * chance there are never so many, so the keys were made to collide.
   */
  textKeyProbesMax: 128,
  /** Words of four bytes that text keys of a table may take; others go where other keys are. */
  textKeyWordsMax: 256 * 1024 * 1024,
  /**
   * Share of a table's rows from which on a snapshot takes all of them: it frees the chain of what
   * was written before, which then need not be merged.
   */
  rewriteShare: 0.5,
  /** The same for rows that are numbers only: writing one takes a tenth of merging it. */
  numbersRewriteShare: 0.125,
  /**
   * Share of a state's cells up to which a snapshot behind one of all cells takes what changed: an
   * eighth less at the least is written, and there is nothing to merge yet.
   */
  alternateShareMax: 0.75,
  /**
   * Snapshots that take all rows of a table without asking, once that many had changed: a table that
   * comes to rest is written so many times more.
   */
  untoldEpochsMax: 6,
  /** Tables that a state keeps for reuse: windows come and go, their memory stays. */
  freeTablesMax: 64,
  /** Rows looked at for expired state with each record: two make a round before state doubles. */
  ttlSweepRows: 2,
  /** Entries of a map or list looked at for each of these rows; the next record goes on there. */
  ttlSweepEntries: 4,
  /** Entries that a map got since the last look, for each of which two more are looked at. */
  ttlSweepInsertedMax: 256,
  /**
   * Entries that maps have on average up to which a snapshot may take all of them, as most of the
   * maps have changed: of larger ones it takes what changed, since that may be one entry of each.
   */
  wholeCellEntriesMax: 16,
  /** Deleted timers that stay in the queue beside as many as stand: so few are not worth a round. */
  deletedTimersSpare: 1_024,
  /** Keys put into, or taken out of, the order of a sorted map one by one; more are so together. */
  sortedChangesMax: 16,
  /** Bytes of a segment's chunk, about: large enough that writing it is one good system call. */
  segmentChunkBytes: 256 * 1024,
  /** Bytes beyond a chunk that a block of numbers may take without the chunk being copied. */
  segmentChunkSlackBytes: 32 * 1024,
  /** Buffers for chunks kept for the next segment, 288 KiB each. */
  chunkBuffersMax: 32,
  /** Bytes that one read of neighbouring blocks asks for, unless a single block is larger. */
  segmentReadBytesMax: 1024 * 1024,
  /** Bytes read from a segment's end at once: most footers are shorter. */
  segmentTailBytes: 64 * 1024,
  /** Columns of a layout, and numbers of a namespace; more is a damaged or mistaken one. */
  segmentColumnsMax: 4_096,
  /** Rows that a merge holds at a time, unless one key group has more: they fit the cache. */
  mergeRowsMax: 8_192,
  /** Encoded bytes that a merge holds at a time, unless one key group has more. */
  mergeBytesMax: 16 * 1024 * 1024,
  /** Rows a merge handles between two pauses: about half a millisecond. */
  mergeRowsPerTurn: 2_000,
  /**
   * Bytes of blobs after which a block is closed that is not full yet, and a step of a snapshot ends:
   * rows may be large, and records wait for a step.
   */
  blockBlobBytes: 256 * 1024,
  /** Segments in a chain: a restore reads them all. */
  chainSegmentsMax: 16,
  /** Bytes that the shortest segment counts for in a plan: opening a file costs as much. */
  mergeBytesFloor: 64 * 1024,
  /** Above this share of the memory that rows may take the engine waits until rows have been moved out. */
  spillHardShare: 1.25,
  /** Rows moved out at a time: about 10 ms of work for this thread and the store's. */
  spillRowsMax: 4_096,
  /** Bytes moved out at a time: rows may be large, and are held once more until they are written. */
  spillBytesMax: 4 * 1024 * 1024,
  /** Slots looked at for cold rows between two batches: some 50 µs. */
  spillSlotsMax: 16_384,
  /** Rows of a page of those outside: what one step of a firing emits. */
  spillPageRows: 512,
  /** Rows whose size an average is of: newer ones push out older ones, as rows grow. */
  spillSamplesMax: 128,
  /** Bytes of such rows that are encoded between two batches on average: a few µs. */
  spillSampleBytes: 1_024,
  /** Slots looked at for one that has a row. */
  spillSampleSlots: 64,
  /** Share of a table's rows that changed after which those before count as cold. */
  spillAgeShare: 0.25,
  /** Fewer changes are not worth a new age while there is room. */
  spillAgeRowsMin: 1_024,
  /** Bytes of blocks that LevelDB caches: rows are cached by the tables, this is for neighbours. */
  spillCacheBytes: 16 * 1024 * 1024,
  /** Bytes that LevelDB gathers before it writes a file; it holds twice as many. */
  spillWriteBufferBytes: 32 * 1024 * 1024,
  /** Bytes of LevelDB's files: with 8 MiB instead of 2 it merges an eighth faster. */
  spillFileBytes: 8 * 1024 * 1024,
  /** Keys that the smallest filter of keys outside has room for. */
  filterKeysInitial: 1_024,
  /** A filter is made anew when it has this many times the keys there are: it only ever grows. */
  filterKeysShare: 4,
  /** Keys too many in a filter that are not worth it. */
  filterKeysSpare: 16_384,
} as const;
