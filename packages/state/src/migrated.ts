import { MillraceError } from '@millrace/core';
import type { StateDescriptor } from '@millrace/core/spi';

/** A stored value as the state's version wants it. */
export function migrated(descriptor: StateDescriptor, version: number, stored: unknown): unknown {
  if (version === descriptor.version) return stored;
  const migrate = descriptor.migrate as ((stored: unknown, version: number) => unknown) | undefined;
  if (migrate === undefined) {
    const detail = `version ${version} is stored, ${descriptor.version} is declared`;
    throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail);
  }
  return migrate(stored, version);
}
