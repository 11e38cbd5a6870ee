import {
  type RecordBatch,
  RecordFailure,
  RecordKind,
  type SinkContext,
  type SinkWriter,
} from '@millrace/core/spi';
import type { MessageCheck } from './message-check.js';
import type { MessageEncoder } from './message-encoder.js';
import type { NatsLink } from './nats-link.js';
import { OrderedPublisher } from './ordered-publisher.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { PublishOutcome } from './publish-outcome.js';

/** What messages are published with as they come. */
export interface DirectConnection {
  readonly link: NatsLink;
  readonly check: MessageCheck;
  readonly send: (message: OutgoingMessage) => Promise<PublishOutcome>;
}

export interface DirectMessagesWriterParts {
  readonly context: SinkContext;
  readonly encode: MessageEncoder;
  readonly connect: () => Promise<DirectConnection>;
}

/** Publishes messages as they come, at least once: a checkpoint waits until all are stored. */
export class DirectMessagesWriter implements SinkWriter {
  private readonly parts: DirectMessagesWriterParts;
  private connection: DirectConnection | undefined;
  private publisher: OrderedPublisher | undefined;

  constructor(parts: DirectMessagesWriterParts) {
    this.parts = parts;
  }

  async open(): Promise<void> {
    const { context, connect } = this.parts;
    this.connection = await connect();
    const published = context.metrics.counter('natsMessagesPublished');
    const { link, send } = this.connection;
    this.publisher = new OrderedPublisher({
      link,
      context,
      send: async (message) => {
        const outcome = await send(message);
        if (outcome.kind === 'stored') published.inc();
        return outcome;
      },
    });
  }

  write({ values, kinds, count }: RecordBatch): undefined | Promise<void> {
    const { encode, context } = this.parts;
    const { check } = this.connection!;
    let index = 0;
    try {
      for (; index < count; index += 1) {
        const message = encode(values[index], kinds?.[index] ?? RecordKind.insert);
        if (message === undefined) continue;
        check.check(message);
        this.publisher!.add(message);
      }
    } catch (cause) {
      throw new RecordFailure(index, context.operatorId, cause);
    }
    return this.publisher!.pressure();
  }

  flush(): Promise<void> {
    return this.publisher!.drained();
  }

  finish(): Promise<void> {
    return this.flush();
  }

  cancel(): void {
    this.connection?.link.stopWaiting();
  }

  async close(): Promise<void> {
    this.publisher?.close();
    await this.connection?.link.close();
  }
}
