import { MillraceError } from '@millrace/core';
import { type RecordBatch, RecordFailure, type WatermarkStrategy } from '@millrace/core/spi';
import type { SplitTime } from '../engine/split-time.js';
import type { Compiler } from './compiler.js';

/** What the loop needs of a chunk of a split. */
export interface TimedChunk {
  readonly values: readonly unknown[];
  readonly timestamps?: Float64Array | undefined;
}

/**
 * Takes the records `from … to` of a chunk into a batch with their event times; stops behind a
 * record at which the split's watermark crosses a step. Returns the index behind the last taken.
 *
 * Throws `RecordFailure` at a record without a valid event time.
 */
export type AssignTimestamps = (
  chunk: TimedChunk,
  from: number,
  to: number,
  out: RecordBatch,
  split: SplitTime,
  latestMs: number,
) => number;

/** The first and last instants that `Date` knows. */
const timeMaxMs = 8.64e15;

function badTimestamp(time: unknown, latestMs: number): MillraceError {
  const shown =
    typeof time === 'number' ? String(time) : `a ${time === null ? 'null' : typeof time}`;
  const valid = typeof time === 'number' && Number.isInteger(time) && Math.abs(time) <= timeMaxMs;
  return valid && time > latestMs
    ? new MillraceError(
        'ERR_FAR_FUTURE_TIMESTAMP',
        `${new Date(time).toISOString()} is beyond ${new Date(latestMs).toISOString()}`,
      )
    : new MillraceError('ERR_INVALID_TIMESTAMP', `the event time is ${shown}`);
}

/** The loop for a strategy that follows the highest timestamp; others ask their split each time. */
export function generateTimestamps(
  operatorId: string,
  strategy: WatermarkStrategy<unknown>,
  compiler: Compiler,
): AssignTimestamps {
  const follows = strategy.kind === 'bounded' || strategy.kind === 'monotonous';
  const cut = follows
    ? 'if (t > highest) { highest = t; if (t >= cutAt) { i += 1; break; } }'
    : 'if (split.onRecord(value, t)) { i += 1; break; }';
  const own = 'timestamps === undefined ? 0 : timestamps[i]';
  return compiler.compile<AssignTimestamps>(operatorId, 'timestamps', {
    names: ['timestampOf', 'RecordFailure', 'badTimestamp'],
    values: [strategy.timestamp, RecordFailure, badTimestamp],
    body: `return function assign(chunk, from, to, out, split, latestMs) {
  const values = chunk.values, timestamps = chunk.timestamps;
  const outValues = out.values, outTimestamps = out.timestamps;
  let highest = split.highest, o = out.count, i = from;
  const cutAt = split.cutAt;
  try {
    for (; i < to; i += 1) {
      const value = values[i];
      const t = ${strategy.timestamp === undefined ? own : 'timestampOf(value)'};
      if (!(t <= latestMs && t >= ${-timeMaxMs}) || t !== Math.floor(t)) throw badTimestamp(t, latestMs);
      outValues[o] = value; outTimestamps[o] = t; o += 1;
      ${cut}
    }
  } catch (error) {
    throw new RecordFailure(i, ${JSON.stringify(operatorId)}, error);
  } finally {
    out.count = o; split.highest = highest;
  }
  return i;
};`,
  });
}

/** The same without generated code. */
export function flatTimestamps(
  operatorId: string,
  strategy: WatermarkStrategy<unknown>,
): AssignTimestamps {
  return (chunk, from, to, out, split, latestMs) => {
    for (let i = from; i < to; i += 1) {
      const value = chunk.values[i];
      try {
        const t = strategy.timestamp?.(value) ?? chunk.timestamps?.[i] ?? 0;
        if (!(t <= latestMs && t >= -timeMaxMs) || !Number.isInteger(t)) {
          throw badTimestamp(t, latestMs);
        }
        out.emit(value, t);
        if (split.onRecord(value, t)) return i + 1;
      } catch (error) {
        throw new RecordFailure(i, operatorId, error);
      }
    }
    return to;
  };
}
