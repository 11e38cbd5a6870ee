/** Milliseconds of a UTC day. */
export const DAY_MS = 86_400_000;

/** The number of the UTC day in which an epoch millisecond lies. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** A day as `2018-04-01`, for texts. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
