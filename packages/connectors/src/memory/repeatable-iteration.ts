import { MillraceError } from '@millrace/core';

/**
 * Refuses iterators that were met before: one of an iteration that is said to repeat goes on where
 * it stood, instead of beginning anew, when a factory gives it twice.
 */
export class FreshIterators {
  private readonly met = new WeakSet<object>();

  /** Throws ERR_INVALID_OPTION for an iterator that was met before. */
  take<I extends object>(iterator: I): I {
    if (this.met.has(iterator)) {
      const detail = 'the factory gave the same iterator twice, which cannot begin anew';
      throw new MillraceError('ERR_INVALID_OPTION', detail, { field: 'repeats' });
    }
    this.met.add(iterator);
    return iterator;
  }
}

/** An error about an iteration that is said to repeat, and ended before it came where it was. */
export function endedEarly(given: number, read: number): MillraceError {
  const detail = `${read} records were read, but the iteration now gives only ${given}`;
  return new MillraceError('ERR_SOURCE_CHANGED', detail);
}
