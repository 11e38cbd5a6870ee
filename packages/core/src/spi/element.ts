import { MillraceError } from '../errors/millrace-error.js';
import type { Key } from '../keys/key-codec.js';
import { coreLimits } from '../limits.js';

/** Change kinds of a record; a batch without a `kinds` column holds inserts only. */
export const RecordKind = { insert: 0, updateBefore: 1, updateAfter: 2, delete: 3 } as const;

/** A column of extracted values: numbers, or anything. */
export type Column = Float64Array | unknown[];

/**
 * Up to 512 records as columns: the one thing that crosses every interface of the engine.
 *
 * Law: a batch is immutable from the moment it is handed on, and belongs to the engine, which uses
 * it again once every receiver has let go of it. A receiver that keeps a value copies the
 * reference out, never the batch.
 *
 * `values` and `timestamps` are always there. `keys` (and `keyGroups`, where records change
 * places) are computed once, at the keyed edge. `columns` are what the receiving operator asked
 * for ahead of the edge (its projection); where it asked for the projection only, `values` is
 * not filled.
 */
export class RecordBatch {
  values: unknown[];
  /** Epoch milliseconds, one for each record. */
  timestamps: Float64Array;
  kinds: Uint8Array | undefined = undefined;
  keys: Key[] | undefined = undefined;
  keyGroups: Uint16Array | undefined = undefined;
  columns: Column[] = [];
  count = 0;
  /** Receivers that have not let go of it yet; kept by the engine. */
  holders = 0;

  constructor(capacity: number = coreLimits.batchRecordsMax) {
    this.values = new Array<unknown>(capacity).fill(undefined);
    this.timestamps = new Float64Array(capacity);
  }

  get capacity(): number {
    return this.timestamps.length;
  }

  /** Appends one insert; grows beyond the usual size when a record overdraws its credit. */
  emit(value: unknown, timestamp: number): void {
    const at = this.count;
    if (at === this.timestamps.length) this.grow();
    this.values[at] = value;
    this.timestamps[at] = timestamp;
    this.count = at + 1;
  }

  /** Appends one record of a changelog. */
  emitKind(value: unknown, timestamp: number, kind: number): void {
    this.emit(value, timestamp);
    if (this.kinds === undefined || this.kinds.length < this.timestamps.length) {
      const kinds = new Uint8Array(this.timestamps.length);
      if (this.kinds !== undefined) kinds.set(this.kinds);
      this.kinds = kinds;
    }
    this.kinds[this.count - 1] = kind;
  }

  /** Takes back what was appended after `count` was `mark`. */
  truncate(mark: number): void {
    if (mark < this.count) this.count = mark;
  }

  private grow(): void {
    if (this.timestamps.length >= coreLimits.recordOutputRowsMax) {
      throw new MillraceError(
        'ERR_OUTPUT_LIMIT',
        `one record gave more than ${coreLimits.recordOutputRowsMax} rows at once`,
      );
    }
    const timestamps = new Float64Array(this.timestamps.length * 2);
    timestamps.set(this.timestamps);
    this.timestamps = timestamps;
  }
}

/** No further record with `timestamp < watermark.time` follows on this channel. */
export interface Watermark {
  readonly kind: 'watermark';
  /** Epoch milliseconds; +∞ when no more records follow. */
  readonly time: number;
}

/** The channel takes no part in the watermark until its next record or watermark. */
export interface Idle {
  readonly kind: 'idle';
}

/**
 * How a checkpoint deals with what waits in channels. `aligned`: barriers keep their place, and a
 * subtask waits for the barrier of each input. `unaligned`: they overtake what waits, which becomes
 * part of the checkpoint.
 */
export type CheckpointMode = 'aligned' | 'unaligned';

/** Cuts the stream into what belongs to a checkpoint and what follows it. */
export interface CheckpointBarrier {
  readonly kind: 'barrier';
  readonly checkpoint: number;
  readonly mode: CheckpointMode;
}

/** No more records; barriers may still follow until `Close`. */
export interface EndOfInput {
  readonly kind: 'endOfInput';
}

/** The channel ends. */
export interface Close {
  readonly kind: 'close';
}

export type ControlElement = Watermark | Idle | CheckpointBarrier | EndOfInput | Close;

export const watermarkOf = (time: number): Watermark => ({ kind: 'watermark', time });
export const idleElement: Idle = { kind: 'idle' };
export const endOfInput: EndOfInput = { kind: 'endOfInput' };
export const closeElement: Close = { kind: 'close' };
