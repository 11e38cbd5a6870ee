import { outsideCall } from '@millrace/core/internal';

/** Whether functions of an operator may use its state now: they may not between two calls. */
export class CallScope {
  isOpen = true;
  private readonly operator: string;

  constructor(operator: string) {
    this.operator = operator;
  }

  /** @throws MillraceError `ERR_OUTSIDE_CALL` */
  check(state: string): void {
    if (!this.isOpen) throw outsideCall(this.operator, `state ${state}`);
  }
}
