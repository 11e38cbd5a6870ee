import { MillraceError } from '@millrace/core';
import { ByteWriter, coreLimits, encodeRecord, RecordWriter } from '@millrace/core/internal';
import type { RecordBatch } from '@millrace/core/spi';
import type { PlaceRange } from '../../engine/record-places.js';
import { runtimeLimits } from '../../limits.js';
import { DictionaryTrial } from './dictionary.js';
import { ColumnForm, FramePart, frameVersion, ValueForm } from './frame-format.js';
import { writePlaces } from './frame-places.js';
import { writeKeys } from './key-column.js';
import { writeNumbers } from './number-column.js';
import { writePacked } from './packed-block.js';
import { writeRecords } from './record-block.js';
import { type CodeChoice, ShapeCode } from './shape-code.js';
import { writeSmall } from './small-column.js';
import { type FrameWriter, ValueWriter } from './value-writer.js';

const { frameBytesMax, frameCellsMax, framePlacesMax, frameRowsMax, shapesMax } = runtimeLimits;
const { forgetShapesBatches } = runtimeLimits;

/** Makes frames of batches. */
export interface BatchEncoder {
  /**
   * The bytes of a batch behind `headBytes` bytes for the caller's own header. The caller owns the
   * buffer, which nothing else uses: it may be transferred. The batch is read, not kept.
   *
   * @param places where the batch's records stood; of more than `framePlacesMax` nothing is told
   *
   * @throws MillraceError `ERR_UNSERIALISABLE_VALUE` with the path within the record as `field`,
   *   `ERR_INVALID_KEY`, `ERR_INVARIANT` for more rows than a frame may have
   */
  encode(
    batch: RecordBatch,
    headBytes: number,
    places?: readonly PlaceRange[],
  ): Uint8Array<ArrayBuffer>;
}

/** How an encoder works; any decoder reads what any encoder writes. */
export interface BatchEncoderOptions {
  /** Default `'generated'`, where the host allows it. */
  readonly code?: CodeChoice;
  /**
   * `'columns'` cuts numbers, strings and objects of known shapes into columns; `'whole'` writes all
   * values by the codec for `others`. Default `'columns'`.
   */
  readonly values?: 'columns' | 'whole';
  /** The codec for values that are not cut into columns. Default `'record'`, core's own. */
  readonly others?: 'record' | 'msgpackr';
}

/**
 * An encoder for one channel: it remembers the shapes of records. What a frame holds depends on
 * nothing but its batch; only its form (dictionaries, for example) depends on what came before.
 *
 * Symbols as keys, getters and properties that are not enumerable are looked for in the channel's
 * first records only, as on every edge (`checkedRecordsPerEdge`); functions, class instances and
 * all else that is no plain data are refused always.
 */
export function batchEncoder(options: BatchEncoderOptions = {}): BatchEncoder {
  return new ShapedBatchEncoder(options);
}

class ShapedBatchEncoder implements BatchEncoder {
  private readonly out = new ByteWriter();
  private readonly frame: FrameWriter;
  private readonly cutsValues: boolean;
  private readonly checker = new RecordWriter();
  private checksLeft: number = coreLimits.checkedRecordsPerEdge;
  private readonly keyTrial = new DictionaryTrial();
  private values = new ValueWriter();
  private columns: ValueWriter[] = [];
  private batchesLearned = 0;

  constructor({ code = 'generated', values = 'columns', others = 'record' }: BatchEncoderOptions) {
    const { out } = this;
    const form = others === 'record' ? ValueForm.record : ValueForm.packed;
    const write = others === 'record' ? writeRecords : writePacked;
    this.cutsValues = values === 'columns';
    this.frame = {
      out,
      code: new ShapeCode(code),
      cells: 0,
      shapes: 0,
      writeAny(anyValues, count) {
        out.u8(form);
        write(out, anyValues, count);
      },
    };
    out.lengthMax = frameBytesMax;
  }

  encode(
    batch: RecordBatch,
    headBytes: number,
    places: readonly PlaceRange[] = [],
  ): Uint8Array<ArrayBuffer> {
    const { out } = this;
    const { count, columns } = batch;
    const cells = columns.length * count;
    if (count > frameRowsMax || cells > frameCellsMax) {
      const detail = `a batch of ${count} rows with ${columns.length} columns`;
      throw new MillraceError('ERR_INVARIANT', detail);
    }
    this.forgetShapes();
    this.frame.cells = cells;
    out.reset();
    try {
      this.checkFirst(batch);
      this.writeBatch(batch, places.length <= framePlacesMax ? places : []);
    } catch (error) {
      throw errorOf(batch, error);
    }
    const bytes = new Uint8Array(headBytes + out.length);
    bytes.set(out.bytes.subarray(0, out.length), headBytes);
    return bytes;
  }

  private writeBatch(batch: RecordBatch, places: readonly PlaceRange[]): void {
    const { out, frame } = this;
    const { count, timestamps, values, kinds, keys, keyGroups, columns } = batch;
    const hasValues = isAnyDefined(values, count);
    out.u8(frameVersion);
    out.u8(
      (hasValues ? FramePart.values : 0) |
        (kinds === undefined ? 0 : FramePart.kinds) |
        (keys === undefined ? 0 : FramePart.keys) |
        (keyGroups === undefined ? 0 : FramePart.keyGroups) |
        (places.length === 0 ? 0 : FramePart.places),
    );
    out.varint(count);
    out.varint(columns.length);
    writeNumbers(out, timestamps, count);
    if (kinds !== undefined) writeSmall(out, kinds, count);
    if (keys !== undefined) writeKeys(out, keys, count, this.keyTrial);
    if (keyGroups !== undefined) writeSmall(out, keyGroups, count);
    for (const [at, column] of columns.entries()) {
      out.u8(column instanceof Float64Array ? ColumnForm.numbers : ColumnForm.values);
      if (column instanceof Float64Array) {
        writeNumbers(out, column, count);
      } else {
        this.columns[at] ??= new ValueWriter();
        this.columns[at].write(frame, column, count);
      }
    }
    if (hasValues) {
      if (this.cutsValues) this.values.write(frame, values, count);
      else frame.writeAny(values, count);
    }
    if (places.length > 0) writePlaces(out, places);
  }

  /** The thorough check, which takes longer than the encoding. */
  private checkFirst({ values, count }: RecordBatch): void {
    const checks = Math.min(this.checksLeft, count);
    this.checksLeft -= checks;
    for (let row = 0; row < checks; row += 1) {
      this.checker.reset();
      this.checker.write(values[row]);
    }
  }

  /** Lets go of shapes that may no longer occur once there is no room for others. */
  private forgetShapes(): void {
    const { frame } = this;
    this.batchesLearned += 1;
    if (frame.shapes < shapesMax || this.batchesLearned < forgetShapesBatches) return;
    this.values = new ValueWriter();
    this.columns = [];
    this.batchesLearned = 0;
    frame.shapes = 0;
  }
}

function isAnyDefined(values: readonly unknown[], count: number): boolean {
  const to = Math.min(count, values.length);
  for (let row = 0; row < to; row += 1) if (values[row] !== undefined) return true;
  return false;
}

/** The error with the path from the record on, not from the property where it was found. */
function errorOf({ values, count, columns }: RecordBatch, error: unknown): unknown {
  if (error instanceof MillraceError && error.code !== 'ERR_UNSERIALISABLE_VALUE') return error;
  for (const column of [values, ...columns]) {
    for (let row = 0; row < count; row += 1) {
      try {
        encodeRecord(column[row]);
      } catch (found) {
        return found;
      }
    }
  }
  if (error instanceof MillraceError) return error;
  const detail = `the records of a batch cannot be sent together: ${error}`;
  return new MillraceError('ERR_UNSERIALISABLE_VALUE', detail, { cause: error });
}
