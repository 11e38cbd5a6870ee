/**
 * Freezes a record and all that it holds, so that a function which changes it throws at once.
 *
 * Objects and arrays are frozen. JavaScript cannot freeze the contents of a `Map`, `Set`, `Date`,
 * typed array or `ArrayBuffer`: the values in a `Map` or `Set` are frozen, but entries can still be
 * added. Returns its argument.
 */
export function freezeRecord<Value>(record: Value): Value {
  freezeDeep(record, new Set());
  return record;
}

/** `seen`, because frozen is not deeply frozen, and a value may occur twice or in itself. */
function freezeDeep(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  // Freezing a typed array that has elements throws.
  if (ArrayBuffer.isView(value)) return;
  seen.add(value);
  if (value instanceof Map) {
    for (const [key, child] of value) {
      freezeDeep(key, seen);
      freezeDeep(child, seen);
    }
  } else if (value instanceof Set) {
    for (const child of value) freezeDeep(child, seen);
  } else {
    for (const child of Object.values(value)) freezeDeep(child, seen);
  }
  Object.freeze(value);
}
