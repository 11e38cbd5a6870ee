import { stateLimits } from '../limits.js';

/** Divides long work into turns, between which others get theirs. */
export class Turns {
  private readonly pause: () => Promise<void>;
  private rows = 0;

  constructor(pause: () => Promise<void>) {
    this.pause = pause;
  }

  /** Counts rows, and says whether it is time for {@link Turns.end}. */
  isOver(rows: number): boolean {
    this.rows += rows;
    return this.rows >= stateLimits.mergeRowsPerTurn;
  }

  async end(): Promise<void> {
    this.rows = 0;
    await this.pause();
  }
}

/** Rows that are sorted at once, and what that takes in rows that are merely handled. */
const sortedPart = { rows: 512, costRows: 1_024 };

/**
 * Sorts without holding up others for longer than a turn: short parts at once, then merges of
 * neighbouring parts.
 */
export async function sortInTurns(
  items: Int32Array,
  compare: (a: number, b: number) => number,
  turns: Turns,
): Promise<Int32Array> {
  const part = sortedPart.rows;
  for (let at = 0; at < items.length; at += part) {
    items.subarray(at, at + part).sort(compare);
    if (turns.isOver(sortedPart.costRows)) await turns.end();
  }
  let source = items;
  let target: Int32Array = new Int32Array(items.length);
  for (let width = part; width < items.length; width *= 2) {
    for (let at = 0; at < items.length; at += 2 * width) {
      await mergeParts(source, target, { from: at, middle: at + width, compare, turns });
    }
    [source, target] = [target, source];
  }
  return source;
}

interface Parts {
  readonly from: number;
  /** Where the second part begins; it is as long as the first, or reaches to the end. */
  readonly middle: number;
  readonly compare: (a: number, b: number) => number;
  readonly turns: Turns;
}

async function mergeParts(source: Int32Array, target: Int32Array, parts: Parts): Promise<void> {
  const { from, compare, turns } = parts;
  const middle = Math.min(parts.middle, source.length);
  const end = Math.min(2 * parts.middle - from, source.length);
  let left = from;
  let right = middle;
  for (let at = from; at < end; at += 1) {
    const isLeft = right === end || (left < middle && compare(source[left]!, source[right]!) <= 0);
    target[at] = isLeft ? source[left++]! : source[right++]!;
    if (turns.isOver(1)) await turns.end();
  }
}
