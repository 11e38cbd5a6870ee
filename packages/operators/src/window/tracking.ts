import type { OperatorContext } from '@millrace/core/spi';

/** Whether rows have marks, and code says ahead of a change that a row changes. */
export type Tracking = 'tracked' | 'untracked';

export const trackingOf = ({ tracksChanges }: Pick<OperatorContext, 'tracksChanges'>): Tracking =>
  tracksChanges ? 'tracked' : 'untracked';

/** The same as text; nothing where changes are not tracked. It has `epoch` of the table at hand. */
export const touchStatement = (tracking: Tracking, slot: string): string =>
  tracking === 'tracked' ? `if (table.marks[${slot}] < epoch) table.touch(${slot});` : '';
