import type { SourceChunk } from '@millrace/core/spi';
import { isFenceMarker } from './fence-marker.js';
import { decodeMessages, type MessageDecoder, positionOfSequence } from './message-codec.js';
import type { NatsCursor } from './nats-reader.js';
import type { ReceivedMessage } from './received-message.js';
import type { StreamFeed } from './stream-feed.js';
import type { StreamPosition } from './stream-position.js';

/** Gives the messages of one split to the job, decoded. */
export class StreamCursor<T> implements NatsCursor<T> {
  private readonly feed: StreamFeed;
  private readonly split: string;
  private readonly decode: MessageDecoder<T, ReceivedMessage>;
  private at: StreamPosition;

  constructor(
    split: string,
    start: StreamPosition,
    feed: StreamFeed,
    decode: MessageDecoder<T, ReceivedMessage>,
  ) {
    this.split = split;
    this.at = start;
    this.feed = feed;
    this.decode = decode;
  }

  get isReady(): boolean {
    return this.feed.isReady;
  }

  get isEmpty(): boolean {
    return this.feed.isEmpty;
  }

  get pending(): number {
    return this.feed.pending;
  }

  poll(max: number): SourceChunk<T> | undefined {
    const messages = this.feed.take(max);
    const last = messages.at(-1)?.delivery;
    if (last !== undefined) {
      this.at = { ...this.at, sequence: last.sequence, timeNs: last.timeNs };
    } else if (!this.feed.isOver) return undefined;
    // Sinks leave markers in a stream, which are no records.
    const records = messages.some(isFenceMarker)
      ? messages.filter((message) => !isFenceMarker(message))
      : messages;
    const { values, timestamps, places, bad } = decodeMessages(records, this.decode);
    return {
      split: this.split,
      values,
      start: 0,
      count: values.length,
      timestamps,
      bad,
      positionOf: (index) => positionOfSequence(places[index]!),
      splitEnded: this.feed.isOver,
    };
  }

  position(): StreamPosition {
    const { seenUpTo } = this.feed;
    return seenUpTo === undefined ? this.at : { ...this.at, seen: seenUpTo };
  }

  pause(): void {
    this.feed.pause();
  }

  resume(): void {
    this.feed.resume();
  }

  snapshot(checkpoint: number): void {
    this.feed.snapshot(checkpoint, this.at.sequence);
  }

  commit(checkpoint: number): void {
    this.feed.commit(checkpoint);
  }

  async close(): Promise<void> {
    this.feed.close();
  }
}
