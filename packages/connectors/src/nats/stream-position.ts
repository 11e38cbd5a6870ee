import type { Delivery } from './delivery.js';
import type { QueueRetention, StreamFacts } from './stream-facts.js';

/** Where reading goes on in a stream, and what that was until then: JSON. */
export interface StreamPosition {
  readonly stream: string;
  readonly created: string;
  /** What is behind this sequence was not read yet. */
  readonly sequence: number;
  /** When the message at `sequence` was stored; undefined: none was read yet. */
  readonly timeNs?: string | undefined;
  /** Up to here the stream had nothing more for the split: what is removed does not matter. */
  readonly seen?: number | undefined;
  /** Of a stream that removes what is acknowledged. */
  readonly retention?: QueueRetention | undefined;
  /** Of a bucket: up to here only the last value of each key is read. */
  readonly snapshotEnd?: number | undefined;
  /** Of a bounded split: the last sequence that belongs to it. */
  readonly end?: number | undefined;
}

/** Whether a stream still is what was read, from what it tells of itself. */
export type StreamVerdict =
  | { readonly kind: 'same' }
  /** Messages were removed before they were read, or it cannot be told that none was. */
  | { readonly kind: 'truncated'; readonly from: number; readonly to: number }
  /** It is another one, or has lost what was read. */
  | { readonly kind: 'changed'; readonly what: string };

/** @param stream undefined: it is not there */
export function judgeStream(
  position: StreamPosition,
  stream: StreamFacts | undefined,
): StreamVerdict {
  if (stream === undefined) return changed('is not there any more');
  if (stream.created !== position.created) {
    const when = `it was created ${position.created}, this one ${stream.created}`;
    return changed(`was deleted and created again: ${when}`);
  }
  if (position.timeNs !== undefined && stream.last < position.sequence) {
    return changed(`was rolled back: it ends at sequence ${stream.last}`);
  }
  const known = Math.max(position.sequence, position.seen ?? 0);
  if (stream.first <= known + 1) return same;
  return { kind: 'truncated', from: known + 1, to: stream.first - 1 };
}

/** Compares the message at the position with the one that is there now. */
export function judgeMessage(
  position: Pick<StreamPosition, 'sequence' | 'timeNs'>,
  { sequence, timeNs }: Pick<Delivery, 'sequence' | 'timeNs'>,
): StreamVerdict {
  if (sequence !== position.sequence || timeNs === position.timeNs) return same;
  return changed(`was rolled back and written again: sequence ${sequence} is another message`);
}

const same: StreamVerdict = { kind: 'same' };
const changed = (what: string): StreamVerdict => ({ kind: 'changed', what });
