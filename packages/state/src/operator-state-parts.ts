import type { KeyGroupRange } from '@millrace/core/internal';
import type { StateDescriptor } from '@millrace/core/spi';
import type { CallScope } from './call-scope.js';
import type { UndoLog } from './undo-log.js';

/** What a state that is no key's is made of. */
export interface OperatorStateParts {
  readonly operator: string;
  readonly state: string;
  readonly descriptor: StateDescriptor;
  /** Key groups of the subtask. */
  readonly groups: KeyGroupRange;
  readonly tracking: 'tracked' | 'untracked';
  readonly undo: UndoLog;
  readonly scope: CallScope;
}
