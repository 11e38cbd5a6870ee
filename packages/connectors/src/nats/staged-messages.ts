import type { OutputStaging, StagedBlob, StagingWriter } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { chunkHeadBytes, chunkHeadOf, MessageChunk, messagesOf } from './message-chunk.js';
import type { OutgoingMessage } from './outgoing-message.js';

/** What was staged for one checkpoint. */
export interface StagedContent {
  readonly blob: StagedBlob;
  readonly chunks: number;
  readonly messages: number;
}

/**
 * Gathers messages in chunks, and these in a blob of the checkpoint store. The blob is made when
 * there is a chunk for it.
 */
export class StagedMessages {
  private readonly staging: OutputStaging;
  private chunk = new MessageChunk();
  private chunks = 0;
  private messages = 0;
  private writer: Promise<StagingWriter> | undefined;
  /** Writes of chunks, one after another. */
  private writing: Promise<void> = Promise.resolve();
  private bytesInFlight = 0;

  constructor(staging: OutputStaging) {
    this.staging = staging;
  }

  add(message: OutgoingMessage): void {
    if (!this.chunk.fits(message)) this.writeChunk();
    this.chunk.add(message);
    this.messages += 1;
  }

  /** Resolves when no more than is allowed is in memory; undefined: it is so. */
  pressure(): Promise<void> | undefined {
    return this.bytesInFlight > connectorLimits.natsStagingBytesMax ? this.writing : undefined;
  }

  /** Makes all of it durable; undefined: there is nothing. */
  async complete(): Promise<StagedContent | undefined> {
    if (!this.chunk.isEmpty) this.writeChunk();
    await this.writing;
    if (this.writer === undefined) return undefined;
    const blob = await (await this.writer).complete();
    return { blob, chunks: this.chunks, messages: this.messages };
  }

  async abort(): Promise<void> {
    await this.writing.catch(() => undefined);
    const writer = await this.writer?.catch(() => undefined);
    await writer?.abort();
  }

  private writeChunk(): void {
    const bytes = this.chunk.finish();
    this.chunk = new MessageChunk();
    this.chunks += 1;
    this.bytesInFlight += bytes.length;
    this.writer ??= this.staging.create();
    const { writer, writing } = this;
    this.writing = writing.then(async () => {
      await (await writer).write(bytes);
      this.bytesInFlight -= bytes.length;
    });
    // Whoever waits for it next is told.
    this.writing.catch(() => undefined);
  }
}

/**
 * The chunks of a blob in their order, without the first `skip`.
 *
 * @throws MillraceError ERR_CODEC_CORRUPT, and those of the checkpoint store
 */
export async function* stagedChunks(
  staging: OutputStaging,
  blob: StagedBlob,
  skip: number,
): AsyncGenerator<readonly OutgoingMessage[]> {
  let at = 0;
  for (let index = 0; at < blob.bytes; index += 1) {
    const head = chunkHeadOf(await staging.read(blob, at, chunkHeadBytes));
    at += chunkHeadBytes;
    if (index >= skip) yield messagesOf(head, await staging.read(blob, at, head.bytes));
    at += head.bytes;
  }
}
