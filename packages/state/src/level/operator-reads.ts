/**
 * Reads of one operator's rows. What was read ahead of a call stays in memory until the call has been
 * made, although other operators let the backend move rows out in between.
 */
export class OperatorReads {
  /** Those that blocked the thread: of rows that were not prefetched. */
  sync = 0;
  private open = 0;
  private isHeld = false;

  /** Whether rows are being read ahead. */
  get areOpen(): boolean {
    return this.open > 0;
  }

  /** Whether rows were read ahead of a call that has not been made yet, or changed nothing. */
  get areUnused(): boolean {
    return this.isHeld;
  }

  /** Rows are being read ahead until the promise is settled. */
  async ahead(load: Promise<void>): Promise<void> {
    this.open += 1;
    try {
      await load;
    } finally {
      this.open -= 1;
      this.isHeld = true;
    }
  }

  /** The operator is being called: what was read has been used when it returns. */
  used(): void {
    this.isHeld = false;
  }
}
