import type { Split, SplitEnumerator } from '@millrace/core/spi';

/**
 * Hands out all splits of a source at once, which is all there is to enumerate: once they have
 * been handed out, they live in the snapshots of the readers.
 *
 * @param snapshot what this enumerator's `snapshot` gave, after a restart
 */
export function fixedEnumerator(
  findSplits: () => Promise<readonly Split[]>,
  snapshot: unknown,
): SplitEnumerator {
  let isDone = snapshot === 'done';
  return {
    async discover() {
      if (isDone) return { splits: [], end: true };
      const splits = await findSplits();
      isDone = true;
      return { splits, end: true };
    },
    snapshot: () => (isDone ? 'done' : 'new'),
  };
}

/** Splits `0` to `n - 1`, for sources that deal their records out to them in turn. */
export function numberedSplits(count: number): readonly Split[] {
  return Array.from({ length: count }, (_, index) => ({ id: String(index) }));
}
