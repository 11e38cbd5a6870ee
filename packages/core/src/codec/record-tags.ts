/**
 * First byte of each encoded value; 0x80 to 0xff are the integers 0 to 127 themselves. Frozen:
 * snapshots hold these. Add at the end, never renumber.
 */
export const recordTags = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  /** Zigzag varint of a 32-bit integer. */
  int32: 0x04,
  float64: 0x05,
  /** Eight bytes, two's complement, little-endian. */
  bigint64: 0x06,
  /** Varint length and magnitude, big-endian. */
  bigPositive: 0x07,
  bigNegative: 0x08,
  /** Text: see `record-text.ts`. */
  string: 0x09,
  /** Float64 of epoch milliseconds, NaN for an invalid date. */
  date: 0x0a,
  /** Varint count, then the values. */
  array: 0x0b,
  /** Varint count, then text and value by turns. */
  object: 0x0c,
  /** As `object`, without a prototype. */
  nullPrototypeObject: 0x0d,
  /** Varint count, then key and value by turns. */
  map: 0x0e,
  set: 0x0f,
  /** Varint byte length, then the bytes; typed arrays have tags of their own. */
  arrayBuffer: 0x10,
} as const;

/** Integers below this are their own tag, with the high bit set. */
export const smallIntegerEnd = 0x80;

/** Version of the encoding, for headers of files and connections that hold records. */
export const recordCodecVersion = 1;

/**
 * Values within values in a record. Deeper ones are refused before they exhaust the stack; a
 * record that contains itself is found by it.
 */
export const recordDepthMax = 256;

/**
 * Bytes of one encoded record: 64 MiB. Sharing within a record is written out, so a small one
 * could otherwise grow without end.
 */
export const recordBytesMax = 64 * 1024 * 1024;
