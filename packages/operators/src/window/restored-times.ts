import { MillraceError } from '@millrace/core';
import type { KeyGroupTimes } from '@millrace/core/spi';

/**
 * Key groups that are restored together must have come equally far; they have unless they come
 * from several subtasks.
 */
export function assertEqual({ lowest, highest }: KeyGroupTimes, operator: string): void {
  if (lowest === highest) return;
  const detail = `key groups have come unequally far: ${lowest} to ${highest}`;
  throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail, { operator });
}
