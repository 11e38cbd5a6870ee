/** Lets one side wait until the other side has something to say. */
export class Signal {
  private promise: Promise<void> | undefined;
  private resolve: (() => void) | undefined;

  /** Resolves at the next `notify`; a notification before the call does not count. */
  wait(): Promise<void> {
    this.promise ??= new Promise((resolve) => {
      this.resolve = resolve;
    });
    return this.promise;
  }

  /** Lets all go on that wait now. */
  notify(): void {
    this.resolve?.();
    this.promise = undefined;
    this.resolve = undefined;
  }
}
