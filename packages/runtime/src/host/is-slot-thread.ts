/** Registered, not private: what a job's module imports may be another copy of this package. */
const mark = Symbol.for('millrace.slotThread');

/** Says that this thread is a slot's, ahead of loading the job's module. */
export function markSlotThread(): void {
  (globalThis as Record<symbol, unknown>)[mark] = true;
}

/** Whether this thread is a slot's. */
export const isSlotThread = (): boolean => mark in globalThis;
