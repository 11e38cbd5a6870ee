import type { SinkContext, StagedBlob } from '@millrace/core/spi';
import {
  type FenceOwner,
  type FencePosition,
  fenceTokens,
  isSamePosition,
} from './fence-marker.js';
import { behind, type OpeningFacts, type Unpublished } from './fence-opening.js';
import { FencedOutput } from './fenced-output.js';
import type { JetstreamPublisher } from './jetstream-publisher.js';
import type { MessageCheck } from './message-check.js';
import type { MessageDestination } from './message-destination.js';
import type { NatsLink } from './nats-link.js';
import type { PreparedEntry, PreparedMessages, PreparedOutput } from './prepared-messages.js';
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

  async publish(prepared: PreparedOutput): Promise<void> {
    await this.publishFrom(this.output, prepared, { entry: 0, chunk: 0 });
  }

  facts(): Pick<PreparedMessages, 'stream' | 'fence'> {
    const { sequence } = this.output;
    return { stream: this.parts.stream.name, fence: { subject: this.fence, sequence } };
  }

  cancel(): void {
    this.parts.link.stopWaiting();
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
    return new FencedOutput({ ...this.parts, stream, subject, owner: this.ownerOf(shard) });
  }

  private async restoreAt(
    output: FencedOutput,
    prepared: PreparedMessages | undefined,
  ): Promise<void> {
    const { restored } = this.parts.context;
    const { entries, staged }: PreparedOutput = prepared ?? { entries: [], staged: [] };
    const from = await output.open(
      restored && {
        checkpoint: restored.checkpoint,
        entries,
        known: prepared && { lineage: prepared.lineage, sequence: prepared.fence!.sequence },
      },
    );
    await this.publishFrom(output, { entries, staged }, from);
  }

  private async publishFrom(
    output: FencedOutput,
    { entries, staged }: PreparedOutput,
    from: Unpublished,
  ): Promise<void> {
    let next = from;
    while (next.entry < entries.length) {
      const entry = entries[next.entry]!;
      const blob = entry.blob === null ? undefined : staged[entry.blob]!;
      const published = await this.publishEntry(output, { entry, blob, entries }, next.chunk);
      next = behind(published, entries)!;
    }
  }

  /** Resolves with what is published then, which may be more than this entry. */
  private async publishEntry(
    output: FencedOutput,
    { entry, blob, entries }: EntryToPublish,
    skip: number,
  ): Promise<FencePosition> {
    const { context } = this.parts;
    const { checkpoint, chunks: of } = entry;
    if (blob === undefined) return output.publish([], { checkpoint, chunk: of, of }, entries);
    const published = context.metrics.counter('natsMessagesPublished');
    let position = { checkpoint, chunk: skip, of };
    for await (const messages of stagedChunks(context.staging!, blob, skip)) {
      position = { ...position, chunk: position.chunk + 1 };
      const reached = await output.publish(messages, position, entries);
      if (!isSamePosition(reached, position)) return reached;
      published.inc(messages.length);
    }
    return position;
  }
}

interface EntryToPublish {
  readonly entry: PreparedEntry;
  readonly blob: StagedBlob | undefined;
  readonly entries: readonly PreparedEntry[];
}
