import { Compiler, canGenerateCode } from '../../codegen/compiler.js';
import { runtimeLimits } from '../../limits.js';
import type { NumberValues } from './number-column.js';

const { generatedShapesMax } = runtimeLimits;

/** Columns of the properties of objects, in their order. */
type Columns = readonly NumberValues[];

/**
 * Takes objects apart until one is not plain, or has other properties or another order of them.
 * Returns how many rows it took; the arrays it puts into `columns` have room for `count`.
 */
export type Gather = (values: readonly unknown[], count: number, columns: unknown[][]) => number;

/** Objects with the values of the columns as their properties. */
export type Build = (columns: Columns, count: number) => unknown[];

/** Whether a codec runs generated code; plain code gives the same, slower. */
export type CodeChoice = 'generated' | 'plain';

/**
 * Makes the functions that take objects of a shape apart, or put them together: generated ones, as
 * long as there are few shapes and the host allows it.
 */
export class ShapeCode {
  private readonly compiler: Compiler | undefined;
  private generatedLeft: number = generatedShapesMax;

  constructor(choice: CodeChoice) {
    const generates = choice === 'generated' && canGenerateCode();
    this.compiler = generates ? new Compiler('exchange') : undefined;
  }

  gather(names: readonly string[]): Gather {
    if (this.compiler === undefined || this.generatedLeft === 0) return plainGather(names);
    this.generatedLeft -= 1;
    return this.compiler.compile<Gather>('codec', 'gather', {
      names: ['names', 'protoOf', 'proto'],
      values: [names, Object.getPrototypeOf, Object.prototype],
      body: gatherText(names),
    });
  }

  build(names: readonly string[]): Build {
    if (this.compiler === undefined || this.generatedLeft === 0) return plainBuild(names);
    this.generatedLeft -= 1;
    return this.compiler.compile<Build>('codec', 'build', {
      names: [],
      values: [],
      body: buildText(names),
    });
  }
}

/** Whether a value is a plain object with these properties in this order. */
export function hasShape(value: unknown, names: readonly string[]): boolean {
  if (!isPlainObject(value)) return false;
  let at = 0;
  // Inherited properties that can be enumerated make any object one of another shape.
  for (const name in value) {
    if (name !== names[at]) return false;
    at += 1;
  }
  return at === names.length;
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

function gatherText(names: readonly string[]): string {
  const lines = (line: (name: string, at: number) => string): string =>
    names.map((name, at) => line(JSON.stringify(name), at)).join('\n');
  return `return (values, count, columns) => {
${lines((_, at) => `const c${at} = new Array(count);`)}
let row = 0;
for (; row < count; row++) {
const v = values[row];
if (typeof v !== 'object' || v === null || protoOf(v) !== proto) break;
let at = 0;
for (const name in v) {
if (name !== names[at]) { at = -1; break; }
at++;
}
if (at !== ${names.length}) break;
${lines((name, at) => `c${at}[row] = v[${name}];`)}
}
${lines((_, at) => `columns[${at}] = c${at};`)}
return row;
};`;
}

function buildText(names: readonly string[]): string {
  return `return (columns, count) => {
${names.map((_, at) => `const c${at} = columns[${at}];`).join('\n')}
const values = new Array(count);
for (let row = 0; row < count; row++) values[row] = {
${names.map((name, at) => `${JSON.stringify(name)}: c${at}[row],`).join('\n')}
};
return values;
};`;
}

function plainGather(names: readonly string[]): Gather {
  return (values, count, columns) => {
    for (let at = 0; at < names.length; at += 1) columns[at] = new Array<unknown>(count);
    let row = 0;
    for (; row < count; row += 1) {
      const value = values[row];
      if (!hasShape(value, names)) break;
      const object = value as Readonly<Record<string, unknown>>;
      for (let at = 0; at < names.length; at += 1) columns[at]![row] = object[names[at]!];
    }
    return row;
  };
}

/**
 * Copies an object that has all properties: adding more than a few by name would make V8 store
 * them in a dictionary.
 */
function plainBuild(names: readonly string[]): Build {
  const text = `{${names.map((name) => `${JSON.stringify(name)}:null`).join(',')}}`;
  const template = JSON.parse(text) as Record<string, unknown>;
  return (columns, count) => {
    const values = new Array<unknown>(count);
    for (let row = 0; row < count; row += 1) {
      const object = { ...template };
      for (let at = 0; at < names.length; at += 1) object[names[at]!] = columns[at]![row];
      values[row] = object;
    }
    return values;
  };
}
