import type { BroadcastState, Key, StateDescriptor } from '@millrace/core/spi';

/** @typeParam V the value of an entry */
export interface BroadcastStateOptions<V = unknown> {
  /** Version of the shape of `V`; a restore of another one needs `migrate`. Default 1. */
  readonly version?: number | undefined;
  /**
   * Makes a `V` of what an older version of the job had stored.
   *
   * @param version of `stored`
   */
  readonly migrate?: ((stored: unknown, version: number) => V) | undefined;
}

/**
 * Declares a map of which every subtask of an operator has the same copy, for `connectBroadcast`
 * and `keyedConnectBroadcast`. It iterates in the order in which its keys were set first. Values
 * must not be changed in place; set a new one.
 *
 * It is for what is small, such as rules or rates: every subtask has all of it in memory, and a
 * checkpoint after a change has all of it once more.
 *
 * @example
 * broadcast: { rules: broadcastState<string, Rule>() }
 */
export function broadcastState<K extends Key, V>({
  version = 1,
  migrate,
}: BroadcastStateOptions<V> = {}): StateDescriptor<BroadcastState<K, V>> & {
  readonly kind: 'broadcast';
} {
  return { kind: 'broadcast', version, ...(migrate && { migrate }) };
}
