import type { MillraceError } from '@millrace/core';
import type { CheckpointRequest } from './coordinator-state.js';

/** Who waits for the answer to which request. */
export class PendingRequests {
  private readonly waiting = new Map<number, (error: MillraceError | undefined) => void>();
  private made = 0;

  /** Makes a request with the next number, and sends it once somebody waits for the answer. */
  ask(
    form: (number: number) => CheckpointRequest,
    send: (request: CheckpointRequest) => void,
  ): Promise<void> {
    this.made += 1;
    const request = form(this.made);
    return new Promise((resolve, reject) => {
      this.waiting.set(request.number, (error) =>
        error === undefined ? resolve() : reject(error),
      );
      send(request);
    });
  }

  answer(number: number, error: MillraceError | undefined): void {
    this.waiting.get(number)?.(error);
    this.waiting.delete(number);
  }
}
