import type { AroundJob } from '@millrace/testing';

/** A text of a built file, and what takes its place. */
export interface Edit {
  /** Module of a package without `dist` and its ending, e.g. `runtime/engine/input-gate`. */
  readonly module: string;
  /** There exactly once, in one line. */
  readonly find: string;
  readonly replace: string;
}

/**
 * A way to break the engine on purpose: modules are changed as they are loaded, in a process of its
 * own, or something is put around what jobs meet. Nothing of it is in the code that is shipped.
 */
export interface PlantedBug {
  /** What is wrong, as the line of a table. */
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly around?: AroundJob | undefined;
}
