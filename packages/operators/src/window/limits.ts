/** Every bound of windows, with its unit and its reason. */
export const windowLimits = {
  /**
   * Rows that the local phase of a window holds before it gives all of them out: with a few numbers
   * a row they fit a core's L2 cache of 1 MiB. Half as many leave a tenth more rows, and with twice
   * as many a record takes a tenth longer.
   */
  localRowsMax: 16_384,
  /** Records in them where accumulators are objects: those may grow with each record. */
  localRecordsMax: 65_536,
  /** Records between two looks at how much aggregation leaves, at the least. */
  reductionRecordsMin: 4_096,
  /**
   * Rows for each record above which aggregating ahead of the exchange costs more than it saves: a
   * row of its own takes 20 ns more than adding to one, an exchange of one about 40.
   */
  reductionRowsShare: 0.7,
  /** Records that pass as they are until aggregation is tried again: a try costs them 1 ns each. */
  passRecords: 262_144,
} as const;

/** Rows whose slots are looked up together. */
export const rowsAtOnce = 512;

/** The bounds of a local phase; tests make them small. */
export type LocalLimits = { readonly [Name in keyof typeof windowLimits]: number };
