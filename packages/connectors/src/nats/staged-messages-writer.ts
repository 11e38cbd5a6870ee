import {
  type RecordBatch,
  RecordFailure,
  RecordKind,
  type SinkContext,
  type SinkWriter,
  type StagedBlob,
} from '@millrace/core/spi';
import type { MessageDestination } from './message-destination.js';
import type { MessageEncoder } from './message-encoder.js';
import {
  type PreparedEntry,
  type PreparedMessages,
  type PreparedOutput,
  restoredMessages,
} from './prepared-messages.js';
import { StagedMessages } from './staged-messages.js';

export interface StagedMessagesWriterParts {
  readonly context: SinkContext;
  readonly encode: MessageEncoder;
  readonly connect: () => Promise<MessageDestination>;
}

/**
 * Keeps messages in the checkpoint store until their checkpoint is committed, and publishes them
 * then. While it does so it takes no more, so at most two checkpoints' output is not published.
 */
export class StagedMessagesWriter implements SinkWriter {
  private readonly parts: StagedMessagesWriterParts;
  private destination: MessageDestination | undefined;
  /** Since the last checkpoint. */
  private staging: StagedMessages | undefined;
  private unpublished: readonly Unpublished[] = [];
  /** After a failure it is unknown what is staged. */
  private failure: { readonly cause: unknown } | undefined;

  constructor(parts: StagedMessagesWriterParts) {
    this.parts = parts;
  }

  async open(): Promise<void> {
    const { context, connect } = this.parts;
    const prepared = restoredMessages(context.restored);
    this.destination = await connect();
    await this.destination.restore(prepared);
  }

  write({ values, kinds, count }: RecordBatch): undefined | Promise<void> {
    this.assertSound();
    const { encode, context } = this.parts;
    const { check } = this.destination!;
    this.staging ??= new StagedMessages(context.staging!);
    const { staging } = this;
    let index = 0;
    try {
      for (; index < count; index += 1) {
        const message = encode(values[index], kinds?.[index] ?? RecordKind.insert);
        if (message === undefined) continue;
        check.check(message);
        staging.add(message);
      }
    } catch (cause) {
      throw new RecordFailure(index, context.operatorId, cause);
    }
    const pressure = staging.pressure();
    return pressure && this.soundly(() => pressure);
  }

  prepare(checkpoint: number): Promise<PreparedMessages> {
    return this.soundly(async () => {
      const content = await this.staging?.complete();
      this.staging = undefined;
      this.add({
        checkpoint,
        blob: content?.blob,
        // A marker without output is a chunk, too.
        chunks: content?.chunks ?? 1,
        messages: content?.messages ?? 0,
        preparedMs: this.parts.context.env.clock.nowMs(),
      });
      return this.prepared();
    });
  }

  committed(checkpoint: number): Promise<void> {
    return this.soundly(async () => {
      const isCommitted = (each: Unpublished): boolean => each.checkpoint <= checkpoint;
      await this.destination!.publish(outputOf(this.unpublished.filter(isCommitted)));
      this.unpublished = this.unpublished.filter((each) => !isCommitted(each));
    });
  }

  cancel(): void {
    this.destination?.cancel();
  }

  async close(): Promise<void> {
    const { staging, destination } = this;
    this.staging = undefined;
    await staging?.abort();
    await destination?.close();
  }

  /** What is there yet was given up: an empty one says nothing that the next one does not. */
  private add(entry: Unpublished): void {
    const kept = this.unpublished.filter(({ blob }) => blob !== undefined);
    this.unpublished = [...kept, entry];
  }

  private prepared(): PreparedMessages {
    const { lineage, subtask: shard } = this.parts.context;
    return {
      format: 1,
      kind: 'messages',
      ...this.destination!.facts(),
      shard,
      lineage: lineage!.id,
      ...outputOf(this.unpublished),
    };
  }

  private assertSound(): void {
    if (this.failure !== undefined) throw this.failure.cause;
  }

  private async soundly<R>(action: () => Promise<R>): Promise<R> {
    this.assertSound();
    try {
      return await action();
    } catch (cause) {
      this.failure = { cause };
      throw cause;
    }
  }
}

interface Unpublished extends Omit<PreparedEntry, 'blob'> {
  readonly blob: StagedBlob | undefined;
}

function outputOf(unpublished: readonly Unpublished[]): PreparedOutput {
  const staged: StagedBlob[] = [];
  const entries = unpublished.map(({ blob, ...entry }): PreparedEntry => {
    if (blob === undefined) return { ...entry, blob: null };
    return { ...entry, blob: staged.push(blob) - 1 };
  });
  return { staged, entries };
}
