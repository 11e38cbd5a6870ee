import type { SeedResult } from '@millrace/testing';

/** A seed to run. */
export interface ToWorker {
  readonly seed: number;
}

export type FromWorker =
  | { readonly kind: 'result'; readonly result: Omit<SeedResult, 'timeline' | 'case'> }
  /** The simulator itself failed. */
  | { readonly kind: 'broken'; readonly seed: number; readonly error: string };
