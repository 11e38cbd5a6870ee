import { describe, expect, test } from 'vitest';
import { type AlignedAssigner, sliding, tumbling } from './assigner.js';
import { SliceTimes } from './slice-times.js';

/** Ends of the windows that cover a timestamp, by looking at all of them. */
function endsOf({ sizeMs, slideMs, offsetMs }: AlignedAssigner, timestamp: number): number[] {
  const ends: number[] = [];
  for (let start = offsetMs - 50 * slideMs; start <= timestamp; start += slideMs) {
    if (timestamp < start + sizeMs) ends.push(start + sizeMs);
  }
  return ends;
}

describe.each<[string, AlignedAssigner]>([
  ['tumbling', tumbling(10)],
  ['tumbling with an offset', tumbling(10, { offset: 3 })],
  ['sliding by a divisor', sliding(12, 4)],
  ['sliding by no divisor', sliding(10, 4, { offset: 1 })],
])('%s', (_name, assigner) => {
  const times = new SliceTimes(assigner);
  const timestamps = Array.from({ length: 60 }, (_, i) => i - 30);

  test('a slice’s windows are those of each of its timestamps', () => {
    for (const t of timestamps) {
      const start = times.startOf(t);
      expect(t - start).toBeGreaterThanOrEqual(0);
      expect(t - start).toBeLessThan(times.sliceMs);
      const ends = endsOf(assigner, t);
      expect([times.firstEnd(start), times.lastEnd(start)]).toEqual([ends[0], ends.at(-1)]);
    }
  });
});
