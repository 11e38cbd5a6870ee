import type { Partitioning } from '@millrace/core/internal';

/**
 * How the records of an edge are spread over subtasks. Watermarks, barriers and ends go over all
 * of its channels.
 *
 * - `forward`: each subtask has one receiver, beside it
 * - `key`: to the subtask that owns the record's key group
 * - `rebalance`: batches in turn, to all subtasks
 * - `rescale`: batches in turn, to the subtasks that fall to the sender
 * - `broadcast`: to all
 * - `gather`: to the first subtask
 * - `custom`: where the author's function says
 */
export type Movement =
  | 'forward'
  | 'key'
  | 'rebalance'
  | 'rescale'
  | 'broadcast'
  | 'gather'
  | 'custom';

/** The movement between stages of `from` and `to` subtasks. */
export function movementOf(kind: Partitioning['kind'], from: number, to: number): Movement {
  if (from === 1 && to === 1) return 'forward';
  if (to === 1 || kind === 'global') return 'gather';
  switch (kind) {
    case 'forward':
      return from === to ? 'forward' : 'rebalance';
    default:
      return kind;
  }
}

/** Subtasks that each sender has a channel to. */
export function receiversOf(
  movement: Movement,
  subtask: number,
  from: number,
  to: number,
): readonly number[] {
  const all = Array.from({ length: to }, (_, at) => at);
  if (movement === 'forward') return [subtask];
  if (movement !== 'rescale') return all;
  if (to < from) return [Math.floor((subtask * to) / from)];
  return all.filter((at) => Math.floor((at * from) / to) === subtask);
}
