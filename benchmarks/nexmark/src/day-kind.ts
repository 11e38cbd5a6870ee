const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The kind of day of each hour. */
const kindOfHour = Array.from({ length: 24 }, (_, hour) => {
  if (hour >= 8 && hour <= 18) return 'dayTime';
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
});

/** The kind of day (UTC) of an instant in epoch milliseconds, also before 1970. */
export function dayKind(time: number): string {
  return kindOfHour[Math.floor(time / hourMs) - Math.floor(time / dayMs) * 24]!;
}
