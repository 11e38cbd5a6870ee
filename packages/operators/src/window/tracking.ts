import type { OperatorContext } from '@millrace/core/spi';

/** Whether rows have marks, and code says ahead of a change that a row changes. */
export type Tracking = 'tracked' | 'untracked';

export const trackingOf = ({ tracksChanges }: Pick<OperatorContext, 'tracksChanges'>): Tracking =>
  tracksChanges ? 'tracked' : 'untracked';

/**
 * The same as text, for the row of `slot` whose mark is the expression `mark`; nothing where
 * changes are not tracked. The code has `epoch` of its table at hand.
 */
export const touchStatement = (tracking: Tracking, slot: string, mark: string): string =>
  tracking === 'tracked' ? `if (${mark} < epoch) table.touch(${slot});` : '';
