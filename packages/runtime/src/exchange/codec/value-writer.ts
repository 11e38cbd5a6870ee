import type { ByteWriter } from '@millrace/core/internal';
import { runtimeLimits } from '../../limits.js';
import { codeOf, writeCodes } from './code-column.js';
import { writeDates } from './date-column.js';
import { DictionaryTrial } from './dictionary.js';
import { ValueForm } from './frame-format.js';
import { listsOf } from './list-column.js';
import { toNumbers, writeNumbers } from './number-column.js';
import { scratchNumbers } from './scratch.js';
import { encodeShape, isShape } from './shape.js';
import { type Gather, hasShape, isPlainObject, type ShapeCode } from './shape-code.js';
import { writeStrings } from './string-column.js';

const { columnShapesMax, frameCellsMax, shapeDepthMax, shapesMax } = runtimeLimits;

/** What the columns of a frame have in common while it is written. */
export interface FrameWriter {
  readonly out: ByteWriter;
  readonly code: ShapeCode;
  /** Cells of columns of shapes so far; the reader counts them, too. */
  cells: number;
  /** Shapes that are remembered. */
  shapes: number;
  /** Writes values of any kind, with the form. */
  writeAny(values: readonly unknown[], count: number): void;
}

/** Objects with these properties, and the columns they are cut into. */
interface WrittenShape {
  readonly names: readonly string[];
  readonly bytes: Uint8Array;
  readonly gather: Gather;
  readonly fields: readonly ValueWriter[];
}

/** What a row is: an object of a shape, or something else. `any` is what no column takes. */
type RowKind = WrittenShape | 'number' | 'string' | 'code' | 'list' | 'date' | 'any';

/** The rows of a column that are of one kind. */
interface RowClass {
  readonly at: number;
  readonly kind: RowKind;
  readonly values: unknown[];
}

/** Writes one column of values, and remembers what it looked like for the next frame. */
export class ValueWriter {
  private readonly depth: number;
  private readonly trial = new DictionaryTrial();
  private readonly shapes: WrittenShape[] = [];
  private readonly classes: ValueWriter[] = [];
  private elements: ValueWriter | undefined = undefined;

  /** `depth`: objects around this column. */
  constructor(depth = 0) {
    this.depth = depth;
  }

  write(frame: FrameWriter, values: readonly unknown[], count: number): void {
    // What a batch without rows holds is left over.
    const kind = count === 0 ? 'code' : this.kindOf(frame, values[0]);
    if (!this.writeKind(frame, kind, values, count)) this.writeMixed(frame, values, count);
  }

  /** False, and nothing written, unless all rows are of a kind that has columns. */
  private writeKind(
    frame: FrameWriter,
    kind: RowKind,
    values: readonly unknown[],
    count: number,
  ): boolean {
    const { out } = frame;
    switch (kind) {
      case 'number':
        return writeNumberValues(out, values, count);
      case 'string':
        return writeStringValues(out, values, count, this.trial);
      case 'code':
        return writeCodes(out, values, count);
      case 'date':
        return writeDates(out, values, count);
      case 'list':
        return this.writeLists(frame, values, count);
      case 'any':
        return false;
      default:
        return this.writeShape(frame, kind, values, count);
    }
  }

  /** False, and nothing written, unless all rows are of the shape and there is room for it. */
  private writeShape(
    frame: FrameWriter,
    { names, bytes, gather, fields }: WrittenShape,
    values: readonly unknown[],
    count: number,
  ): boolean {
    const { out } = frame;
    const cells = frame.cells + names.length * count;
    const columns: unknown[][] = [];
    if (cells > frameCellsMax || gather(values, count, columns) < count) return false;
    frame.cells = cells;
    out.u8(ValueForm.shape);
    out.varint(bytes.length);
    out.raw(bytes);
    for (let at = 0; at < fields.length; at += 1) fields[at]!.write(frame, columns[at]!, count);
    return true;
  }

  /** As {@link writeShape}, for arrays without holes. */
  private writeLists(frame: FrameWriter, values: readonly unknown[], count: number): boolean {
    const { out } = frame;
    const lists = listsOf(values, count);
    const cells = frame.cells + (lists?.elements.length ?? 0);
    if (lists === undefined || cells > frameCellsMax) return false;
    frame.cells = cells;
    out.u8(ValueForm.list);
    writeNumbers(out, lists.lengths, count);
    this.elements ??= new ValueWriter(this.depth + 1);
    this.elements.write(frame, lists.elements, lists.elements.length);
    return true;
  }

  private writeMixed(frame: FrameWriter, values: readonly unknown[], count: number): void {
    const { out } = frame;
    const classes = new Map<RowKind, RowClass>();
    const classOfRow = new Uint8Array(count);
    for (let row = 0; row < count; row += 1) {
      const kind = this.kindOf(frame, values[row]);
      let found = classes.get(kind);
      if (found === undefined) {
        found = { at: classes.size, kind, values: [] };
        classes.set(kind, found);
      }
      found.values.push(values[row]);
      classOfRow[row] = found.at;
    }
    if (classes.size > 1) {
      out.u8(ValueForm.mixed);
      out.u8(classes.size);
      out.raw(classOfRow);
    }
    for (const { at, kind, values: rows } of classes.values()) {
      // Objects have columns of their own in any case; others take those of their class.
      const isShaped = typeof kind !== 'string' || classes.size === 1;
      if (!isShaped) this.classes[at] ??= new ValueWriter(this.depth);
      const writer = isShaped ? this : this.classes[at]!;
      // Rows of one class are never mixed: what does not fit after all is written as anything.
      if (!writer.writeKind(frame, kind, rows, rows.length)) frame.writeAny(rows, rows.length);
    }
  }

  private kindOf(frame: FrameWriter, value: unknown): RowKind {
    if (typeof value === 'number') return 'number';
    if (typeof value === 'string') return 'string';
    if (codeOf(value) >= 0) return 'code';
    if (typeof value !== 'object' || this.depth === shapeDepthMax) return 'any';
    return this.shapeOf(frame, value) ?? builtInOf(value);
  }

  /** The shape of a value, if it may be cut into columns. */
  private shapeOf(frame: FrameWriter, value: unknown): WrittenShape | undefined {
    if (!isPlainObject(value)) return undefined;
    for (const shape of this.shapes) if (hasShape(value, shape.names)) return shape;
    const names = Object.keys(value);
    const isFull = this.shapes.length === columnShapesMax || frame.shapes >= shapesMax;
    if (isFull || !isShape(names)) return undefined;
    frame.shapes += 1;
    const shape = {
      names,
      bytes: encodeShape(names),
      gather: frame.code.gather(names),
      fields: names.map(() => new ValueWriter(this.depth + 1)),
    };
    this.shapes.push(shape);
    return shape;
  }
}

/** The built-ins that have columns, by their prototype; merely inheriting from it is found later. */
function builtInOf(value: object | null): 'list' | 'date' | 'any' {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return 'list';
  return prototype === Date.prototype ? 'date' : 'any';
}

function writeNumberValues(out: ByteWriter, values: readonly unknown[], count: number): boolean {
  if (!toNumbers(values, count)) return false;
  out.u8(ValueForm.number);
  writeNumbers(out, scratchNumbers, count);
  return true;
}

function writeStringValues(
  out: ByteWriter,
  values: readonly unknown[],
  count: number,
  trial: DictionaryTrial,
): boolean {
  out.u8(ValueForm.string);
  if (writeStrings(out, values, count, trial)) return true;
  out.length -= 1;
  return false;
}
