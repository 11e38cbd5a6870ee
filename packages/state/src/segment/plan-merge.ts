import { stateLimits } from '../limits.js';

/** Segments of a chain, by index: `from` (included) to `to` (excluded). */
export interface MergePlan {
  readonly from: number;
  readonly to: number;
}

/** Below it little is written in vain, and a chain takes up to three times its longest segment. */
const shareMin = 0.5;

/** Segments that are together shorter than this share of the one behind them are dwarfs beside it. */
const dwarfShare = 1 / 16;
/** So many of them are merged; fewer stay, as files whose rows are mostly gone. */
const dwarfsMerged = 4;

/**
 * Which segments of a chain to merge into one, now that one was added at its end; undefined when
 * the chain is good as it is. Asked after every addition, it keeps chains at 16 at the most.
 *
 * Segments shrink geometrically along a good chain, as in a log-structured merge tree: each is
 * longer than a share of all behind it together. Where one is not, it is merged with all behind
 * it, whereby all but the newest at least grow by that share: a byte is written again about as
 * often as the chain's length doubles. The share is as small as 16 segments allow.
 *
 * Where the last one is far longer than all those before it, it is not written again for their
 * sake: a snapshot of a whole table leaves of the segments before it what little else they hold.
 *
 * @param chain oldest first
 */
export function planMerge(chain: readonly { readonly bytes: number }[]): MergePlan | undefined {
  const sizes = chain.map(({ bytes }) => Math.max(bytes, stateLimits.mergeBytesFloor));
  const share = shareFor(sizes);
  let behind = 0;
  let from = sizes.length;
  for (let at = sizes.length - 1; at >= 0; at -= 1) {
    if (sizes[at]! <= share * behind) from = at;
    behind += sizes[at]!;
  }
  if (from >= sizes.length) return undefined;
  const last = sizes.length - 1;
  const dwarfs = sizes.slice(from, last);
  if (dwarfs.reduce((sum, size) => sum + size, 0) > dwarfShare * sizes[last]!) {
    return { from, to: sizes.length };
  }
  return dwarfs.length < dwarfsMerged ? undefined : { from, to: last };
}

/**
 * If every segment is longer than `share` of what is behind it, n of them are (1 + share)^(n − 1)
 * times as long as the last: this is the share at which n is the bound.
 */
function shareFor(sizes: readonly number[]): number {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const range = total / (sizes.at(-1) ?? 1);
  return Math.max(shareMin, range ** (1 / (stateLimits.chainSegmentsMax - 1)) - 1);
}
