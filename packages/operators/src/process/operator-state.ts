import type { OperatorListState, Redistribution, StateDescriptor } from '@millrace/core/spi';

/** @typeParam T an element */
export interface OperatorListStateOptions<T = unknown> {
  /**
   * What a restore does: `split`, the default, gives each element to one subtask, evenly also
   * where there are more or fewer than before. `union` gives all elements to each, which keeps by
   * `set` what is its own: otherwise the next restore gives each element as often as there were
   * subtasks.
   */
  readonly redistribute?: Redistribution | undefined;
  /** Version of the shape of `T`; a restore of another one needs `migrate`. Default 1. */
  readonly version?: number | undefined;
  /** Makes a `T` of an element that an older version of the job had stored. */
  readonly migrate?: ((stored: unknown, version: number) => T) | undefined;
}

/**
 * Declares a list for each subtask of an operator without a key. Elements must not be changed in
 * place.
 *
 * @example
 * events.pipe(process('sample', {
 *   output: type<Event>(),
 *   state: { kept: operatorListState<Event>() },
 *   process(e, ctx) {
 *     if (ctx.state.kept.get().length < 100) ctx.state.kept.add(e);
 *   },
 * }))
 */
export function operatorListState<T>({
  redistribute = 'split',
  version = 1,
  migrate,
}: OperatorListStateOptions<T> = {}): StateDescriptor<OperatorListState<T>> & {
  readonly kind: 'operatorList';
} {
  return { kind: 'operatorList', version, redistribute, ...(migrate && { migrate }) };
}
