import type { MillraceError } from '@millrace/core';

/** Stops calls to a listener. */
export type Unsubscribe = () => void;

/**
 * Whether a connection may be used. Open at first; shut and opened again any number of times;
 * failed once and for good.
 */
export class ConnectionGate {
  private failure: MillraceError | undefined;
  private opening: Opening | undefined;
  private readonly gapListeners = new Set<() => void>();
  private readonly failureListeners = new Set<(error: MillraceError) => void>();

  get failed(): MillraceError | undefined {
    return this.failure;
  }

  isOpen(): boolean {
    return this.failure === undefined && this.opening === undefined;
  }

  /** Resolves when it is open, which another disconnect may have changed by the time you look. */
  whenOpen(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return this.opening?.promise ?? Promise.resolve();
  }

  /** Does nothing when it is shut already: what was in flight is told to be in doubt once. */
  shut(): void {
    if (!this.isOpen()) return;
    this.opening = openingOf();
    for (const listener of [...this.gapListeners]) listener();
  }

  open(): void {
    this.opening?.resolve();
    this.opening = undefined;
  }

  /** The first failure stays. */
  fail(error: MillraceError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.opening?.reject(error);
    this.opening = undefined;
    for (const listener of [...this.failureListeners]) listener(error);
  }

  onGap(listener: () => void): Unsubscribe {
    this.gapListeners.add(listener);
    return () => this.gapListeners.delete(listener);
  }

  /** At once when it has failed. */
  onFailure(listener: (error: MillraceError) => void): Unsubscribe {
    if (this.failure !== undefined) listener(this.failure);
    else this.failureListeners.add(listener);
    return () => this.failureListeners.delete(listener);
  }
}

interface Opening {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: MillraceError) => void;
}

function openingOf(): Opening {
  let resolve!: () => void;
  let reject!: (error: MillraceError) => void;
  const promise = new Promise<void>((onOpen, onFailure) => {
    resolve = onOpen;
    reject = onFailure;
  });
  // Nobody may be waiting when it fails.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
