import type { Msg } from '@nats-io/nats-core';
import type { Delivery } from './delivery.js';

/** A message of a stream, beside its decoded value. */
export interface JetstreamMessage {
  readonly subject: string;
  /** As it was published; must not be changed. */
  readonly data: Uint8Array;
  /** Sequence in the stream. */
  readonly sequence: number;
  /** When the server stored it, epoch ms. */
  readonly timeMs: number;
  /** The first value of a header; names are taken as they are written. */
  header(name: string): string | undefined;
}

/** A message that waits for the job. */
export class ReceivedMessage implements JetstreamMessage {
  /** What the server counts it with. */
  readonly bytes: number;
  readonly delivery: Delivery;
  private readonly message: Msg;

  constructor(message: Msg, delivery: Delivery, bytes: number) {
    this.message = message;
    this.delivery = delivery;
    this.bytes = bytes;
  }

  get subject(): string {
    return this.message.subject;
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  get sequence(): number {
    return this.delivery.sequence;
  }

  get timeMs(): number {
    return this.delivery.timeMs;
  }

  /** Where to acknowledge it. */
  get reply(): string {
    return this.message.reply ?? '';
  }

  header(name: string): string | undefined {
    const { headers } = this.message;
    return headers?.has(name) === true ? headers.get(name) : undefined;
  }
}

/** As the server counts it; the client knows it, though it does not say so in its types. */
export function bytesOf(message: Msg): number {
  const { reply = '', subject, data } = message;
  const { size } = message as { readonly size?: () => number };
  return size === undefined ? subject.length + reply.length + data.length : size.call(message);
}
