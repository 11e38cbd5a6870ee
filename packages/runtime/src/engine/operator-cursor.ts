import type { CheckpointBarrier, Idle, Prefetch, RecordBatch } from '@millrace/core/spi';
import type { ChannelReceiver } from './channel.js';

/** Work that was begun and goes on in the next step. */
export type Cursor =
  | { readonly kind: 'batch'; readonly channel: ChannelReceiver; from: number }
  | { readonly kind: 'watermark'; readonly time: number }
  | { readonly kind: 'processingTime'; readonly time: number }
  | CheckpointBarrier
  | Idle
  | { readonly kind: 'endOfInput' }
  | undefined;

/** What the operator is called with next; undefined where nothing is loaded ahead. */
export function callOf(cursor: NonNullable<Cursor>): Prefetch | undefined {
  if (cursor.kind === 'watermark') return { kind: 'watermark', timeMs: cursor.time };
  if (cursor.kind !== 'batch') return undefined;
  const { channel, from } = cursor;
  const batch = channel.peek() as RecordBatch;
  return { kind: 'batch', batch, from, input: channel.input };
}
