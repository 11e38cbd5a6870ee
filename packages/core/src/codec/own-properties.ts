/**
 * What the own properties of a plain object, array or built-in have that an encoding would lose:
 * symbols as keys, getters, properties that are not enumerable, holes, properties on an array or
 * a `Map`. In words, for example `'an object whose total is a getter or setter'`.
 */
export function problemOfProperties(object: object): string | undefined {
  if (Array.isArray(object)) return problemOfArray(object);
  // Listing the elements of a typed array would cost more than encoding it.
  if (ArrayBuffer.isView(object)) return undefined;
  const keys = Reflect.ownKeys(object);
  if (keys.length > 0 && !isPlain(object)) return `a built-in with the property ${String(keys[0])}`;
  for (const key of keys) {
    if (typeof key === 'symbol') return `an object with ${String(key)} as a key`;
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property === undefined) continue;
    if (!('value' in property)) return `an object whose ${key} is a getter or setter`;
    if (!property.enumerable) return `an object whose ${key} is not enumerable`;
  }
  return undefined;
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

function problemOfArray(array: readonly unknown[]): string | undefined {
  for (let index = 0; index < array.length; index++) {
    const element = Object.getOwnPropertyDescriptor(array, index);
    if (element === undefined) return `an array with a hole at ${index}`;
    if (!('value' in element)) return `an array whose element ${index} is a getter or setter`;
  }
  // Elements come first, then `length`, then all else.
  const extra = Reflect.ownKeys(array)[array.length + 1];
  return extra === undefined ? undefined : `an array with the property ${String(extra)}`;
}

/**
 * Whether no object in a value that can be encoded loses anything by it. Faster than finding out
 * where; to be asked after encoding, which bounds depth and size.
 */
export function hasOnlyPlainProperties(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (problemOfProperties(value) !== undefined) return false;
  if (Array.isArray(value)) return value.every(hasOnlyPlainProperties);
  if (ArrayBuffer.isView(value)) return true;
  if (value instanceof Map) {
    for (const [key, child] of value) {
      if (!hasOnlyPlainProperties(key) || !hasOnlyPlainProperties(child)) return false;
    }
    return true;
  }
  if (value instanceof Set) {
    for (const child of value) if (!hasOnlyPlainProperties(child)) return false;
    return true;
  }
  for (const name of Object.keys(value)) {
    if (!hasOnlyPlainProperties((value as Readonly<Record<string, unknown>>)[name])) return false;
  }
  return true;
}
