import { MillraceError } from '../errors/millrace-error.js';
import { problemOfProperties } from './own-properties.js';
import { recordBytesMax, recordDepthMax } from './record-tags.js';
import { typedArrayTagOf } from './typed-arrays.js';

/** A value that is no plain data, and where it is: `items[3].price`, or `record` itself. */
interface UnserialisableValue {
  readonly field: string;
  /** What is there, for example `'a function'`. */
  readonly found: string;
}

/**
 * The first value in a record that the codec refuses, or `undefined`. Slow and thorough: for
 * error messages and checks in development.
 */
function findUnserialisable(record: unknown): UnserialisableValue | undefined {
  return findIn(record, '', []);
}

/** The error for a record that a writer refused with `refusal`. */
export function unserialisableValue(record: unknown, refusal: unknown): MillraceError {
  // Not searched when too large: the search could take as long as there is sharing.
  const found = refusal instanceof RangeError ? undefined : findIfReadable(record);
  if (found !== undefined) {
    return new MillraceError('ERR_UNSERIALISABLE_VALUE', found.found, { field: found.field });
  }
  const detail =
    refusal instanceof RangeError
      ? `its encoding is longer than ${recordBytesMax} bytes`
      : `it cannot be read: ${refusal}`;
  return new MillraceError('ERR_UNSERIALISABLE_VALUE', detail, { field: 'record', cause: refusal });
}

/** A getter or a proxy may throw again what it threw at the writer. */
function findIfReadable(record: unknown): UnserialisableValue | undefined {
  try {
    return findUnserialisable(record);
  } catch {
    return undefined;
  }
}

function findIn(
  value: unknown,
  path: string,
  ancestors: readonly object[],
): UnserialisableValue | undefined {
  const found = ownProblem(value, ancestors);
  if (found !== undefined) return { field: path === '' ? 'record' : path, found };
  if (typeof value !== 'object' || value === null) return undefined;
  const inside = [...ancestors, value];
  for (const [step, child] of childrenOf(value)) {
    const childPath = path === '' && step.startsWith('.') ? step.slice(1) : path + step;
    const problem = findIn(child, childPath, inside);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is wrong with a value apart from what it holds. */
function ownProblem(value: unknown, ancestors: readonly object[]): string | undefined {
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` ${value.name}`}`;
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return undefined;
  if (ancestors.includes(value)) return 'an object that contains itself';
  if (ancestors.length === recordDepthMax)
    return `more than ${recordDepthMax} values within values`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!isOfKind(value, prototype)) return `an instance of ${classNameOf(prototype)}`;
  return problemOfProperties(value);
}

/** Whether it is what its prototype says, and not merely made with that prototype. */
function isOfKind(value: object, prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true;
  if (prototype === Array.prototype) return Array.isArray(value);
  if (typedArrayTagOf(prototype) !== undefined) return ArrayBuffer.isView(value);
  try {
    if (prototype === Date.prototype) return typeof (value as Date).getTime() === 'number';
    if (prototype === Map.prototype) return (value as Map<unknown, unknown>).size >= 0;
    if (prototype === Set.prototype) return (value as Set<unknown>).size >= 0;
    if (prototype === ArrayBuffer.prototype) return (value as ArrayBuffer).byteLength >= 0;
  } catch {
    // The getters and methods of the built-ins throw on anything else.
  }
  return false;
}

function classNameOf(prototype: unknown): string {
  const { constructor: made } = prototype as { readonly constructor?: unknown };
  const name = typeof made === 'function' ? made.name : '';
  return name === '' ? 'a class without a name' : name;
}

/** Each value directly inside, with its step of the path. */
function* childrenOf(value: object): Iterable<readonly [string, unknown]> {
  if (ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) yield [`[${index}]`, value[index]];
  } else if (value instanceof Map) {
    for (const [key, child] of value) {
      yield ['<Map key>', key];
      yield [`.get(${shownKey(key)})`, child];
    }
  } else if (value instanceof Set) {
    for (const child of value) yield ['<Set value>', child];
  } else {
    for (const [name, child] of Object.entries(value)) yield [stepTo(name), child];
  }
}

function stepTo(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`;
}

function shownKey(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key);
  return typeof key === 'object' && key !== null ? '…' : String(key);
}
