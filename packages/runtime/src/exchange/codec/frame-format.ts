/**
 * First byte of every frame. Frozen, as all here is: checkpoints hold frames. A new format gets a
 * new number. Limits of rows, cells, depth and properties may grow, not shrink, for the same reason.
 *
 * A frame is: version, {@link FramePart} bits, varint rows, varint columns, the column of timestamps,
 * then those of kinds, keys and key groups that there are, the columns of the batch with a
 * {@link ColumnForm} each, the column of values, and where the records stood in their sources. Each
 * of these begins with its form, and no form is `FF`, which must not follow the canonical bytes of
 * a key. Numbers are little-endian.
 */
export const frameVersion = 1;

/** Second byte of a frame: what a batch has beside count and timestamps; bits, frozen. */
export const FramePart = { values: 1, kinds: 2, keys: 4, keyGroups: 8, places: 16 } as const;

/** All bits of {@link FramePart}. */
export const framePartsMask = 31;

/** How a column of values is written; frozen. */
export const ValueForm = {
  /** `undefined`, `null`, `false` and `true`. */
  code: 0,
  number: 1,
  string: 2,
  /** Objects with the same properties in the same order: a column for each property. */
  shape: 3,
  /** A class for each row, and a column for the rows of each class. */
  mixed: 4,
  /** Anything, by core's codec of records. */
  record: 5,
  /** Anything, by msgpackr, and core's codec for what that cannot carry. */
  packed: 6,
  /** Arrays: their lengths, and a column of all their elements. */
  list: 7,
  date: 8,
} as const;

/** How a column of numbers is written: as they are, or as distances from a base; frozen. */
export const NumberForm = { float64: 0, constant: 1, u8: 2, u16: 3, u32: 4, int32: 5 } as const;

/** How a column of strings is written; frozen. */
export const StringForm = {
  /** Lengths, then the characters of all, one byte each. */
  latin1: 0,
  /** One after another, each with its length and width. */
  single: 1,
  /** The distinct strings, then their number for each row. */
  dictionary: 2,
} as const;

/** How lengths of strings are written: all the same, or each in so many bytes; frozen. */
export const LengthForm = { constant: 0, u8: 1, u16: 2, u32: 4 } as const;

/** How a column of keys is written; frozen. */
export const KeyForm = { number: 0, string: 1, canonical: 2 } as const;

/** How a column of small integers is written; frozen. */
export const SmallForm = { constant: 0, u8: 1, u16: 2 } as const;

/** What a column of a batch was: a `Float64Array` or an array; frozen. */
export const ColumnForm = { numbers: 0, values: 1 } as const;

/** How places are written: as texts, one after another; frozen. */
export const PlacesForm = { texts: 0 } as const;
