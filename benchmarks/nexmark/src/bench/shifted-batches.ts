import { type EventBatch, parseEvent } from '../input.js';

/** Shifts are multiples of this, and so of all windows of the queries. */
const shiftStepMs = 100_000;
/** Longer than any window or gap, so that a repetition closes what the last one left open. */
const silenceMs = 20_000;

/**
 * The batches as often as makes `eventsMin` events, each time later. Repetitions are copies: a
 * few events again and again would come from the processor's cache, which a stream's never do.
 */
export function repeated(batches: readonly EventBatch[], eventsMin: number): EventBatch[] {
  const turns = Math.max(1, Math.ceil(eventsMin / Math.max(1, countOf(batches))));
  const periodMs = periodOf(batches);
  return Array.from({ length: turns }, (_, turn) =>
    batches.map(({ values, timestamps, count }) => ({
      values: turn === 0 ? values : values.map((event) => parseEvent(JSON.stringify(event))),
      timestamps: timestamps.map((time) => time + turn * periodMs),
      count,
    })),
  ).flat();
}

/** Events in all batches. */
export function countOf(batches: readonly EventBatch[]): number {
  return batches.reduce((sum, { count }) => sum + count, 0);
}

/**
 * The same batches again and again, later each time, as one stream whose time goes on. The
 * arrays of times are written anew by each `next`: who got them before must be done with them.
 */
export class ShiftedBatches {
  /** Events that a `next` gives. */
  readonly events: number;
  readonly #originals: readonly EventBatch[];
  readonly #batches: readonly EventBatch[];
  readonly #periodMs: number;
  #shiftMs = 0;

  constructor(originals: readonly EventBatch[]) {
    this.events = countOf(originals);
    this.#originals = originals;
    this.#batches = originals.map((batch) => ({
      ...batch,
      timestamps: new Float64Array(batch.count),
    }));
    this.#periodMs = periodOf(originals);
  }

  /** The batches, one period later than the last time. */
  next(): readonly EventBatch[] {
    for (const [i, { timestamps }] of this.#batches.entries()) {
      const times = this.#originals[i]!.timestamps;
      for (let j = 0; j < timestamps.length; j++) timestamps[j] = times[j]! + this.#shiftMs;
    }
    this.#shiftMs += this.#periodMs;
    return this.#batches;
  }
}

/** How much later batches may come again. */
export function periodOf(batches: readonly EventBatch[]): number {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { timestamps } of batches) {
    for (const time of timestamps) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
  }
  const span = Math.max(0, last - first);
  return Math.ceil((span + silenceMs) / shiftStepMs) * shiftStepMs;
}
