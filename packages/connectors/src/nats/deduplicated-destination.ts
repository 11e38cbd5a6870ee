import { MillraceError } from '@millrace/core';
import type { SinkContext, StagedBlob } from '@millrace/core/spi';
import type { JetstreamPublisher } from './jetstream-publisher.js';
import type { MessageCheck } from './message-check.js';
import type { MessageDestination } from './message-destination.js';
import type { NatsLink } from './nats-link.js';
import { OrderedPublisher } from './ordered-publisher.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { PreparedEntry, PreparedMessages, PreparedOutput } from './prepared-messages.js';
import type { SinkStream } from './sink-stream.js';
import { stagedChunks } from './staged-messages.js';

export interface DeduplicatedDestinationParts {
  readonly context: SinkContext;
  readonly link: NatsLink;
  readonly publisher: JetstreamPublisher;
  readonly check: MessageCheck;
  readonly stream: SinkStream;
}

/** Publishes with ids that are the same each time: a stream takes one of each for some time. */
export class DeduplicatedDestination implements MessageDestination {
  readonly check: MessageCheck;
  private readonly parts: DeduplicatedDestinationParts;

  constructor(parts: DeduplicatedDestinationParts) {
    this.parts = parts;
    this.check = parts.check;
  }

  async restore(prepared: readonly PreparedMessages[]): Promise<void> {
    const { subtask, parallelism } = this.parts.context;
    // What was fenced is published behind its fences.
    const own = prepared.filter(({ fence }) => fence === undefined);
    for (const [index, shard] of own.entries()) {
      // Subtasks there were more of then leave theirs to those of now.
      if (index % parallelism !== subtask) continue;
      for (const entry of shard.entries) if (entry.blob !== null) this.assertRemembered(entry);
      await this.publishAll(shard, shard);
    }
  }

  async publish(prepared: PreparedOutput): Promise<void> {
    const { subtask: shard, lineage } = this.parts.context;
    await this.publishAll({ shard, lineage: lineage!.id }, prepared);
  }

  facts(): Pick<PreparedMessages, 'stream'> {
    return { stream: this.parts.stream.name };
  }

  cancel(): void {
    this.parts.link.stopWaiting();
  }

  close(): Promise<void> {
    return this.parts.link.close();
  }

  private async publishAll(by: Publication, { entries, staged }: PreparedOutput): Promise<void> {
    for (const entry of entries) {
      if (entry.blob !== null) await this.publishAs(by, entry, staged[entry.blob]!);
    }
  }

  private async publishAs(
    { shard, lineage }: Publication,
    { checkpoint }: PreparedEntry,
    blob: StagedBlob,
  ): Promise<void> {
    const { context, publisher } = this.parts;
    const { job, operatorId, metrics } = context;
    const published = metrics.counter('natsMessagesPublished');
    const duplicates = metrics.counter('natsDuplicates');
    const ordered = new OrderedPublisher({
      ...this.parts,
      send: async (message) => {
        const outcome = await publisher.publish(message);
        if (outcome.kind === 'stored') (outcome.isDuplicate ? duplicates : published).inc();
        return outcome;
      },
    });
    const prefix = `${job}/${operatorId}/${shard}/${lineage}/${checkpoint}/`;
    let row = 0;
    try {
      for await (const messages of stagedChunks(context.staging!, blob, 0)) {
        for (const message of messages) {
          ordered.add(withId(message, `${prefix}${row}`));
          row += 1;
        }
        await ordered.pressure();
      }
      await ordered.drained();
    } finally {
      ordered.close();
    }
  }

  private assertRemembered({ preparedMs, checkpoint }: PreparedEntry): void {
    const { context, stream } = this.parts;
    const { env, replay, operatorId: operator } = context;
    const elapsedMs = env.clock.nowMs() - preparedMs;
    if (elapsedMs < stream.duplicateWindowMs || replay === 'accepted') return;
    throw new MillraceError(
      'ERR_DUPLICATE_WINDOW',
      `checkpoint ${checkpoint} is ${Math.round(elapsedMs / 1_000)} s old, stream ${stream.name} ` +
        `remembers ${stream.duplicateWindowMs / 1_000} s: whether its output was published cannot ` +
        'be told any more. Restore with --from and --accept-replay to publish it again',
      { operator },
    );
  }
}

/** What the ids of messages begin with. */
type Publication = Pick<PreparedMessages, 'shard' | 'lineage'>;

/** Unless the record's own is there. */
function withId(message: OutgoingMessage, id: string): OutgoingMessage {
  const { headers = [] } = message;
  if (headers.some(([name]) => name === messageIdHeader)) return message;
  return { ...message, headers: [...headers, [messageIdHeader, id]] };
}

export const messageIdHeader = 'Nats-Msg-Id';
