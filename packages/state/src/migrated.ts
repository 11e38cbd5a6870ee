import { MillraceError } from '@millrace/core';
import type { StateDescriptor } from '@millrace/core/spi';

/**
 * A stored value as the state's version wants it.
 *
 * @throws MillraceError `ERR_STATE_INCOMPATIBLE`, also where `migrate` throws: of the same value it
 *   would do so again, and the job be restarted in vain
 */
export function migrated(descriptor: StateDescriptor, version: number, stored: unknown): unknown {
  if (version === descriptor.version) return stored;
  const migrate = descriptor.migrate as ((stored: unknown, version: number) => unknown) | undefined;
  if (migrate === undefined) {
    const detail = `version ${version} is stored, ${descriptor.version} is declared`;
    throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail);
  }
  try {
    return migrate(stored, version);
  } catch (cause) {
    const detail = `migrate threw on a value of version ${version}`;
    throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail, { cause });
  }
}
