import type { OperatorContext } from '@millrace/core/spi';

/** Whether rows have marks, and code says ahead of a change that a row changes. */
export type Tracking = 'tracked' | 'untracked';

export const trackingOf = ({ tracksChanges }: Pick<OperatorContext, 'tracksChanges'>): Tracking =>
  tracksChanges ? 'tracked' : 'untracked';

/**
 * The same as text; nothing where changes are not tracked. It has `epoch` of the table at hand: with
 * 0 nothing need be told, and the marks, which are far from the rows in memory, are not read.
 */
export const touchStatement = (tracking: Tracking, slot: string): string =>
  tracking === 'tracked'
    ? `if (epoch !== 0 && table.marks[${slot}] < epoch) table.touch(${slot});`
    : '';
