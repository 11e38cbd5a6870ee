import type { SinkContext, StagedBlob } from '@millrace/core/spi';
import { type FenceOwner, fenceTokens } from './fence-marker.js';
import type { OpeningFacts } from './fence-opening.js';
import { FencedOutput } from './fenced-output.js';
import type { JetstreamPublisher } from './jetstream-publisher.js';
import type { MessageCheck } from './message-check.js';
import type { MessageDestination } from './message-destination.js';
import type { NatsLink } from './nats-link.js';
import type { PreparedEntry, PreparedMessages } from './prepared-messages.js';
import type { SinkStream } from './sink-stream.js';
import { stagedChunks } from './staged-messages.js';

export interface FencedDestinationParts {
  readonly context: SinkContext;
  readonly link: NatsLink;
  readonly publisher: JetstreamPublisher;
  readonly check: MessageCheck;
  readonly stream: SinkStream;
  /** Begin of the fences' subjects. */
  readonly fenceBase: string;
  readonly existing: OpeningFacts['existing'];
}

/** Publishes behind a fence, exactly once. */
export class FencedDestination implements MessageDestination {
  readonly check: MessageCheck;
  private readonly parts: FencedDestinationParts;
  private readonly fence: string;
  private readonly output: FencedOutput;

  constructor(parts: FencedDestinationParts) {
    this.parts = parts;
    this.check = parts.check;
    this.fence = this.fenceOf(parts.context.subtask);
    this.output = this.outputAt(parts.stream.name, this.fence, parts.context.subtask);
  }

  async restore(prepared: readonly PreparedMessages[]): Promise<void> {
    const { context } = this.parts;
    const current = Array.from({ length: context.parallelism }, (_, shard) => this.fenceOf(shard));
    if (context.subtask === 0) {
      // Shards that are nobody's now: there were more, or their fences were elsewhere.
      for (const left of prepared) {
        const { stream, fence, shard } = left;
        if (fence === undefined || current.includes(fence.subject)) continue;
        await this.restoreAt(this.outputAt(stream, fence.subject, shard), left);
      }
    }
    const own = prepared.find(({ fence }) => fence?.subject === this.fence);
    await this.restoreAt(this.output, own);
  }

  async publish(entry: PreparedEntry, blob: StagedBlob | undefined): Promise<void> {
    await this.publishFrom(this.output, entry, blob, 0);
  }

  facts(): Pick<PreparedMessages, 'stream' | 'fence'> {
    const { sequence } = this.output;
    return { stream: this.parts.stream.name, fence: { subject: this.fence, sequence } };
  }

  close(): Promise<void> {
    return this.parts.link.close();
  }

  private fenceOf(shard: number): string {
    return `${this.parts.fenceBase}.${fenceTokens(this.ownerOf(shard))}`;
  }

  private ownerOf(shard: number): FenceOwner {
    const { job, operatorId } = this.parts.context;
    return { job, sink: operatorId, shard };
  }

  private outputAt(stream: string, subject: string, shard: number): FencedOutput {
    const { rollup } = this.parts.stream;
    return new FencedOutput({ ...this.parts, stream, subject, owner: this.ownerOf(shard), rollup });
  }

  private async restoreAt(
    output: FencedOutput,
    prepared: PreparedMessages | undefined,
  ): Promise<void> {
    const { restored } = this.parts.context;
    const entries = prepared?.entries ?? [];
    const from = await output.open(
      restored && {
        checkpoint: restored.checkpoint,
        entries,
        known: prepared && { lineage: prepared.lineage, sequence: prepared.fence!.sequence },
      },
    );
    for (const [index, entry] of entries.slice(from.entry).entries()) {
      const blob = entry.blob === null ? undefined : prepared!.staged[entry.blob];
      await this.publishFrom(output, entry, blob, index === 0 ? from.chunk : 0);
    }
  }

  private async publishFrom(
    output: FencedOutput,
    { checkpoint, chunks: of }: PreparedEntry,
    blob: StagedBlob | undefined,
    skip: number,
  ): Promise<void> {
    const { context } = this.parts;
    if (blob === undefined) {
      await output.publish([], { checkpoint, chunk: of, of });
      return;
    }
    const published = context.metrics.counter('natsMessagesPublished');
    let chunk = skip;
    for await (const messages of stagedChunks(context.staging!, blob, skip)) {
      chunk += 1;
      await output.publish(messages, { checkpoint, chunk, of });
      published.inc(messages.length);
    }
  }
}
