import { MillraceError } from '@millrace/core';
import { ByteReader } from '@millrace/core/internal';
import type { Column, Key, RecordBatch } from '@millrace/core/spi';
import type { Places } from '../../engine/record-places.js';
import { runtimeLimits } from '../../limits.js';
import { ColumnForm, FramePart, framePartsMask, frameVersion } from './frame-format.js';
import { readPlaces } from './frame-places.js';
import { readKeys } from './key-column.js';
import { readNumbers } from './number-column.js';
import { type CodeChoice, ShapeCode } from './shape-code.js';
import { readSmall } from './small-column.js';
import { countCells, type FrameReader, ValueReader } from './value-reader.js';

const { frameRowsMax, shapesMax } = runtimeLimits;

/** Makes batches of frames. */
export interface BatchDecoder {
  /**
   * Fills an empty batch with the frame that `bytes` holds from `from` to their end. Arrays of the
   * batch are used where they are long enough, but for `values`, which is a new array: young
   * objects in an old array cost the garbage collector a note each. What is decoded shares no
   * memory with `bytes`.
   *
   * @returns where the records stood in their sources, if that is known
   * @throws MillraceError `ERR_CODEC_CORRUPT` for damaged bytes; the batch is of no use then
   */
  decode(bytes: Uint8Array, from: number, into: RecordBatch): Places | undefined;
}

/** How a decoder works. */
export interface BatchDecoderOptions {
  /** Default `'generated'`, where the host allows it. */
  readonly code?: CodeChoice;
}

/** A decoder for one channel: it keeps what reads the shapes of records. */
export function batchDecoder(options: BatchDecoderOptions = {}): BatchDecoder {
  return new ShapedBatchDecoder(options);
}

class ShapedBatchDecoder implements BatchDecoder {
  private readonly code: ShapeCode;
  private values = new ValueReader();
  private columns: ValueReader[] = [];
  private shapes = 0;

  constructor({ code = 'generated' }: BatchDecoderOptions) {
    this.code = new ShapeCode(code);
  }

  decode(bytes: Uint8Array, from: number, into: RecordBatch): Places | undefined {
    if (this.shapes >= shapesMax) this.forgetShapes();
    const reader = new ByteReader(bytes.subarray(from));
    const frame = { reader, code: this.code, cells: 0, shapes: this.shapes };
    try {
      return this.readBatch(frame, into);
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      throw new MillraceError('ERR_CODEC_CORRUPT', 'a frame cannot be read', { cause: error });
    } finally {
      this.shapes = frame.shapes;
    }
  }

  private readBatch(frame: FrameReader, into: RecordBatch): Places | undefined {
    const { reader } = frame;
    const version = reader.u8();
    if (version !== frameVersion) reader.corrupt(`version ${version} of frames is unknown`);
    const parts = reader.u8();
    if ((parts & ~framePartsMask) !== 0) reader.corrupt('unknown parts of a batch');
    const count = reader.varint();
    if (count > frameRowsMax) reader.corrupt(`a batch of ${count} rows`);
    const columnCount = reader.count(2);
    countCells(frame, columnCount * count);
    into.count = 0;
    if (into.capacity < count) into.timestamps = new Float64Array(count);
    readNumbers(reader, count, into.timestamps);
    into.kinds = (parts & FramePart.kinds) === 0 ? undefined : readKinds(reader, count, into);
    into.keys = (parts & FramePart.keys) === 0 ? undefined : readBatchKeys(reader, count, into);
    into.keyGroups =
      (parts & FramePart.keyGroups) === 0 ? undefined : readKeyGroups(reader, count, into);
    this.readColumns(frame, columnCount, { count, into });
    if ((parts & FramePart.values) !== 0) into.values = arrayOf(this.values.read(frame, count));
    // A batch that has no values has no room for them either.
    else if (into.values.length > 0) into.values = new Array(into.capacity).fill(undefined);
    const places = (parts & FramePart.places) === 0 ? undefined : readPlaces(reader);
    if (reader.remaining > 0) reader.corrupt('bytes follow the batch');
    into.count = count;
    return places;
  }

  private readColumns(
    frame: FrameReader,
    columnCount: number,
    { count, into }: { readonly count: number; readonly into: RecordBatch },
  ): void {
    const { reader } = frame;
    into.columns.length = Math.min(into.columns.length, columnCount);
    for (let at = 0; at < columnCount; at += 1) {
      const form = reader.u8();
      if (form === ColumnForm.numbers) {
        const column = numbersFor(into.columns[at], count, into.capacity);
        readNumbers(reader, count, column);
        into.columns[at] = column;
      } else if (form === ColumnForm.values) {
        const column = this.columns[at] ?? new ValueReader();
        this.columns[at] = column;
        into.columns[at] = arrayOf(column.read(frame, count));
      } else {
        reader.corrupt(`${form} is not the form of a column`);
      }
    }
  }

  private forgetShapes(): void {
    this.values = new ValueReader();
    this.columns = [];
    this.shapes = 0;
  }
}

function readKinds(reader: ByteReader, count: number, into: RecordBatch): Uint8Array {
  const { kinds, capacity } = into;
  const target = kinds !== undefined && kinds.length >= count ? kinds : new Uint8Array(capacity);
  readSmall(reader, count, target);
  return target;
}

function readBatchKeys(reader: ByteReader, count: number, into: RecordBatch): Key[] {
  const target = into.keys ?? [];
  readKeys(reader, count, target);
  return target;
}

function readKeyGroups(reader: ByteReader, count: number, into: RecordBatch): Uint16Array {
  const { keyGroups, capacity } = into;
  const isLong = keyGroups !== undefined && keyGroups.length >= count;
  const target = isLong ? keyGroups : new Uint16Array(capacity);
  readSmall(reader, count, target);
  return target;
}

function numbersFor(column: Column | undefined, count: number, capacity: number): Float64Array {
  if (column instanceof Float64Array && column.length >= count) return column;
  return new Float64Array(capacity);
}

/** In a batch, an array of type `Float64Array` says that the column is one of numbers. */
function arrayOf(values: unknown[] | Float64Array): unknown[] {
  return values instanceof Float64Array ? Array.from(values) : values;
}
