import { canonicalJson } from '@millrace/core/internal';

/**
 * What a source or sink gave for a checkpoint, as that will have it. A copy, for whoever gave it goes
 * on; and the same in a thread, which functions could not leave.
 */
export function jsonCopy(value: unknown): unknown {
  const text = canonicalJson(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}
