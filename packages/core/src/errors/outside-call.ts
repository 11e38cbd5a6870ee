import { MillraceError } from './millrace-error.js';

/** Something was used that is an author's only until the function returns which it was given to. */
export const outsideCall = (operator: string, what: string): MillraceError =>
  new MillraceError('ERR_OUTSIDE_CALL', `${what} was used outside a call of its function`, {
    operator,
  });
