/**
 * Whether two records are the same data: what one function would see, another would see too.
 *
 * Finer than `===` and than most deep comparisons: −0 is not 0, NaN is NaN, `undefined` is not
 * absence, a plain object is not one without a prototype. Properties may be in any order; the
 * entries of a `Map` or `Set` must be in the same one, since iterating shows it. Anything that is
 * no record value is only the same as itself. Neither record may contain itself.
 */
export function sameRecord(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const prototype: unknown = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) return sameArray(a, b);
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return sameBytes(bytesOf(a), bytesOf(b));
  if (a instanceof Map && b instanceof Map) return a.size === b.size && sameArray([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && sameArray([...a], [...b]);
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
    return sameBytes(new Uint8Array(a), new Uint8Array(b));
  }
  return (prototype === Object.prototype || prototype === null) && sameProperties(a, b);
}

function sameArray(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (!sameRecord(a[index], b[index])) return false;
    if (a[index] === undefined && Object.hasOwn(a, index) !== Object.hasOwn(b, index)) return false;
  }
  return true;
}

function sameProperties(a: object, b: object): boolean {
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && sameRecord(left[name], right[name]));
}

/** Bit by bit: typed arrays of doubles also hold different NaN. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
