import { MillraceError } from '@millrace/core';

/**
 * A record as one line of JSON, with its newline.
 *
 * Dates become ISO texts; properties that are undefined are left out, as JSON does.
 *
 * @throws MillraceError ERR_UNSERIALISABLE_VALUE naming the field whose value JSON would lose:
 *   bigint, Map, Set, typed array, NaN, an infinity, a function, a symbol
 */
export function jsonLine(record: unknown): string {
  if (record === undefined) refuse('undefined', '');
  assertJson(record, '', 0);
  return `${JSON.stringify(record)}\n`;
}

/** Records that nest deeper are likely cyclic. */
const depthMax = 200;

function assertJson(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(String(value), path);
  } else if (typeof value === 'object') {
    if (depth > depthMax) refuse(`nested more than ${depthMax} deep`, path);
    assertObject(value, path, depth + 1);
  } else if (value !== undefined) refuse(`a ${typeof value}`, path);
}

function assertObject(value: object, path: string, depth: number): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      if (value[i] === undefined) refuse('undefined', `${path}[${i}]`);
      assertJson(value[i], `${path}[${i}]`, depth);
    }
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) refuse('an invalid Date', path);
  } else if (prototype === Object.prototype || prototype === null) {
    for (const name of Object.keys(value)) {
      const field = (value as Record<string, unknown>)[name];
      // Paths are put together only where they may be needed.
      if (typeof field === 'string' || typeof field === 'boolean') continue;
      if (typeof field === 'number' && Number.isFinite(field)) continue;
      assertJson(field, path === '' ? name : `${path}.${name}`, depth);
    }
  } else refuse(`a ${value.constructor?.name ?? 'object of a class'}`, path);
}

function refuse(what: string, path: string): never {
  const detail = `${what} has no form in JSON; convert it before the sink`;
  throw new MillraceError('ERR_UNSERIALISABLE_VALUE', detail, {
    field: path === '' ? undefined : path,
  });
}
