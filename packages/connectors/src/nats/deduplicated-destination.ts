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
      for (const entry of shard.entries) if (entry.blob !== null) this.assertYoung(entry);
      await this.publishAll({ ...shard, isRestored: true }, shard);
    }
  }

  async publish(prepared: PreparedOutput): Promise<void> {
    const { subtask: shard, lineage } = this.parts.context;
    await this.publishAll({ shard, lineage: lineage!.id, isRestored: false }, prepared);
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
    { shard, lineage, isRestored }: Publication,
    entry: PreparedEntry,
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
      beforeRepeat: (sentMs) => {
        // A predecessor may have sent what was not sent here.
        if (isRestored) this.assertYoung(entry);
        else if (sentMs !== undefined) this.assertRemembered(entry, 'was sent', sentMs);
      },
    });
    const prefix = `${job}/${operatorId}/${shard}/${lineage}/${entry.checkpoint}/`;
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

  private assertYoung(entry: PreparedEntry): void {
    this.assertRemembered(entry, 'was prepared', entry.preparedMs);
  }

  /** The stream knows what it has stored of an entry since then. */
  private assertRemembered({ checkpoint }: PreparedEntry, what: string, sinceMs: number): void {
    const { context, stream } = this.parts;
    const { env, replay, operatorId: operator } = context;
    const elapsedMs = env.clock.nowMs() - sinceMs;
    if (elapsedMs < stream.duplicateWindowMs || replay === 'accepted') return;
    const elapsed = `${Math.round(elapsedMs / 1_000)} s`;
    throw new MillraceError(
      'ERR_DUPLICATE_WINDOW',
      `output of checkpoint ${checkpoint} ${what} ${elapsed} ago, stream ${stream.name} ` +
        `remembers ${stream.duplicateWindowMs / 1_000} s: whether its output was published cannot ` +
        'be told any more. Restore with --from and --accept-replay to publish it again',
      { operator },
    );
  }
}

/** What the ids of messages begin with, and whether a predecessor may have published them. */
interface Publication extends Pick<PreparedMessages, 'shard' | 'lineage'> {
  readonly isRestored: boolean;
}

/** Unless the record's own is there. */
function withId(message: OutgoingMessage, id: string): OutgoingMessage {
  const { headers = [] } = message;
  if (headers.some(([name]) => name === messageIdHeader)) return message;
  return { ...message, headers: [...headers, [messageIdHeader, id]] };
}

export const messageIdHeader = 'Nats-Msg-Id';
