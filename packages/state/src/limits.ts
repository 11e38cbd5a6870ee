/** Every bound of the heap backend, with its unit and its reason. */
export const stateLimits = {
  /** Rows a table has room for at first. */
  tableRowsInitial: 64,
  /** Share of a table's hash cells in use before it grows: linear probing slows down beyond. */
  hashLoadMax: 0.5,
} as const;
