import type { ByteReader } from '@millrace/core/internal';
import { runtimeLimits } from '../../limits.js';
import { readCodes } from './code-column.js';
import { readDates } from './date-column.js';
import { ValueForm } from './frame-format.js';
import { listsOfColumns, readListLengths } from './list-column.js';
import { type NumberValues, readNumberValues } from './number-column.js';
import { readPacked } from './packed-block.js';
import { readRecords } from './record-block.js';
import { decodeShape, isAt } from './shape.js';
import type { Build, ShapeCode } from './shape-code.js';
import { readStrings } from './string-column.js';

const { columnClassesMax, frameCellsMax, shapeDepthMax } = runtimeLimits;

/** What the columns of a frame have in common while it is read. */
export interface FrameReader {
  readonly reader: ByteReader;
  readonly code: ShapeCode;
  /** Cells of columns of shapes so far: a small frame must not become very many. */
  cells: number;
  /** Shapes that are remembered. */
  shapes: number;
}

/** A shape that a column has had, with what reads it. */
interface ReadShape {
  readonly bytes: Uint8Array;
  readonly build: Build;
  readonly fields: readonly ValueReader[];
}

/** Reads one column of values, and remembers the shapes of its objects for the next frame. */
export class ValueReader {
  private readonly depth: number;
  private readonly isClass: boolean;
  private readonly shapes: ReadShape[] = [];
  private readonly classReaders: ValueReader[] = [];
  private elements: ValueReader | undefined = undefined;

  /** `depth`: objects around this column; `isClass`: it is part of a mixed column. */
  constructor(depth = 0, isClass = false) {
    this.depth = depth;
    this.isClass = isClass;
  }

  /** The values of the next `count` rows, in an array of its own. */
  read(frame: FrameReader, count: number): NumberValues {
    const { reader } = frame;
    const form = reader.u8();
    switch (form) {
      case ValueForm.code:
        return readCodes(reader, count);
      case ValueForm.number:
        return readNumberValues(reader, count);
      case ValueForm.string:
        return readStrings(reader, count);
      case ValueForm.shape:
        return this.readShape(frame, count);
      case ValueForm.mixed:
        return this.readMixed(frame, count);
      case ValueForm.date:
        return readDates(reader, count);
      case ValueForm.list:
        return this.readLists(frame, count);
      case ValueForm.record:
        return readRecords(reader, count);
      case ValueForm.packed:
        return readPacked(reader, count);
      default:
        return reader.corrupt(`${form} is not the form of a column of values`);
    }
  }

  private readShape(frame: FrameReader, count: number): unknown[] {
    const { fields, build } = this.nextShape(frame);
    countCells(frame, fields.length * count);
    const columns = new Array<NumberValues>(fields.length);
    for (let at = 0; at < fields.length; at += 1) columns[at] = fields[at]!.read(frame, count);
    return build(columns, count);
  }

  private nextShape(frame: FrameReader): ReadShape {
    const { reader } = frame;
    this.checkDepth(reader);
    const length = reader.varint();
    const start = reader.advance(length);
    for (const shape of this.shapes) {
      if (shape.bytes.length === length && isAt(shape.bytes, reader.bytes, start)) return shape;
    }
    const bytes = reader.bytes.slice(start, start + length);
    const names = decodeShape(bytes);
    const shape = {
      bytes,
      build: frame.code.build(names),
      fields: names.map(() => new ValueReader(this.depth + 1)),
    };
    frame.shapes += 1;
    this.shapes.push(shape);
    return shape;
  }

  private readLists(frame: FrameReader, count: number): unknown[] {
    this.checkDepth(frame.reader);
    const lengths = readListLengths(frame.reader, count);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    countCells(frame, total);
    this.elements ??= new ValueReader(this.depth + 1);
    return listsOfColumns(lengths, this.elements.read(frame, total));
  }

  private checkDepth(reader: ByteReader): void {
    if (this.depth === shapeDepthMax) reader.corrupt('columns are nested too deeply');
  }

  private readMixed(frame: FrameReader, count: number): unknown[] {
    const { reader } = frame;
    const classCount = reader.u8();
    if (this.isClass || classCount > columnClassesMax) reader.corrupt('too many classes of rows');
    const start = reader.advance(count);
    const classes = reader.bytes.subarray(start, start + count);
    const counts = new Array<number>(classCount).fill(0);
    for (const at of classes) {
      if (at >= classCount) reader.corrupt(`${at} is not a class of ${classCount}`);
      counts[at]! += 1;
    }
    const columns = counts.map((rows, at) => {
      this.classReaders[at] ??= new ValueReader(this.depth, true);
      return this.classReaders[at].read(frame, rows);
    });
    const taken = counts.fill(0);
    const values = new Array<unknown>(count);
    for (let row = 0; row < count; row += 1) {
      const at = classes[row]!;
      values[row] = columns[at]![taken[at]!++];
    }
    return values;
  }
}

/** Counts values that may take no bytes, so that a small frame cannot ask for very many. */
export function countCells(frame: FrameReader, cells: number): void {
  frame.cells += cells;
  if (frame.cells > frameCellsMax) frame.reader.corrupt('too many rows and columns');
}
