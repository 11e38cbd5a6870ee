import { MillraceError } from '@millrace/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A validator of any library that follows Standard Schema; it must answer at once. */
export type RecordSchema<T> = StandardSchemaV1<unknown, T>;

/**
 * What the schema makes of a value.
 *
 * @throws MillraceError ERR_SCHEMA_VIOLATION naming the first offending field;
 *   ERR_INVALID_OPTION when the schema answers with a promise
 */
export function applySchema<T>(schema: RecordSchema<T>, value: unknown): T {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new MillraceError('ERR_INVALID_OPTION', 'the schema is asynchronous', {
      field: 'schema',
    });
  }
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  const field = issue?.path === undefined ? undefined : fieldPath(issue.path);
  throw new MillraceError('ERR_SCHEMA_VIOLATION', issue?.message ?? 'no reason given', {
    field: field === '' ? undefined : field,
  });
}

/** `items[3].price` */
function fieldPath(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  let text = '';
  for (const part of path) {
    const key = typeof part === 'object' ? part.key : part;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
