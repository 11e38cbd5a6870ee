import type { RecordBatch, SinkContext, SinkWriter } from '@millrace/core/spi';
import { assertAsLeft } from './growing-file.js';
import type { HiddenFiles } from './hidden-files.js';
import { Publisher } from './publisher.js';
import type { SinkDestination } from './sink-destination.js';
import { type StagedOutput, type StagedPiece, stagedOutputOf } from './staged-output.js';
import { StagingFile } from './staging-file.js';

/** Where a subtask writes to. */
export interface StagedPlace {
  readonly destination: SinkDestination;
  readonly hidden: HiddenFiles;
}

/** What a writer is made of. */
export interface StagedWriterParts {
  readonly context: SinkContext;
  readonly placeOf: (subtask: number) => StagedPlace;
  readonly linesOf: (batch: RecordBatch) => string;
}

/**
 * Writes text exactly once: rows lie aside in hidden files, a new one for each checkpoint, and are
 * published when it is committed.
 *
 * The commit that a crash comes right after is made good by the next writer's `open`, from what
 * the checkpoint says was prepared; hidden files that no checkpoint names are removed then, or
 * with the first commit.
 */
export class StagedWriter implements SinkWriter {
  private readonly parts: StagedWriterParts;
  private readonly place: StagedPlace;
  private readonly publisher: Publisher;
  /** Those to sweep: its own, and those of subtasks that there are no more. */
  private swept: readonly HiddenFiles[];
  /** Rows since the last checkpoint. */
  private staging: StagingFile | undefined;
  /** Prepared and not published, in order. */
  private readonly unpublished: { readonly checkpoint: number; readonly piece: StagedPiece }[] = [];
  private lastCommitted: number;
  private hasSwept = false;
  /** After a failure it is unknown what the staging file holds. */
  private failure: { readonly cause: unknown } | undefined;

  constructor(parts: StagedWriterParts) {
    this.parts = parts;
    this.place = parts.placeOf(parts.context.subtask);
    this.swept = [this.place.hidden];
    this.publisher = new Publisher(parts.context.env.storage);
    this.lastCommitted = parts.context.restored?.checkpoint ?? 0;
  }

  async open(): Promise<void> {
    const { destination, hidden } = this.place;
    const { restored, subtask, parallelism } = this.parts.context;
    const outputs = restored?.prepared.map(stagedOutputOf) ?? [];
    // Subtasks there were more of then leave theirs to those of now.
    const adopted = outputs.filter((_, index) => index % parallelism === subtask);
    for (const output of adopted) if (output !== undefined) await this.restore(output);
    const text = await destination.open(
      outputs.find((output) => output?.home === destination.home),
    );
    if (text !== '') this.staging = this.newStaging(text);
    const named = outputs.flatMap((output) => output?.pieces ?? []).map(({ aside }) => aside);
    this.swept = [hidden, ...this.hiddenOfDropped(outputs)];
    if (restored !== undefined) await this.sweep(restored.checkpoint, new Set(named));
  }

  write(batch: RecordBatch): undefined | Promise<void> {
    this.assertSound();
    if (batch.count === 0) return undefined;
    const lines = this.parts.linesOf(batch);
    this.staging ??= this.newStaging(this.place.destination.head);
    const full = this.staging.add(lines);
    return full === undefined ? undefined : this.soundly(() => full);
  }

  flush(): Promise<void> {
    return this.soundly(async () => this.staging?.flush());
  }

  prepare(checkpoint: number): Promise<StagedOutput> {
    return this.soundly(async () => {
      const { destination, hidden } = this.place;
      const rows = await this.staging?.seal();
      if (rows !== undefined) {
        await this.parts.context.env.storage.syncFolder(hidden.folder);
        const place = await destination.place(checkpoint, rows);
        this.unpublished.push({ checkpoint, piece: { ...rows, ...place } });
        this.staging = undefined;
      }
      const pieces = this.unpublished.map(({ piece }) => piece);
      return { format: 1, home: destination.home, endByte: destination.endByte, pieces };
    });
  }

  async committed(checkpoint: number): Promise<void> {
    const { unpublished } = this;
    this.lastCommitted = Math.max(this.lastCommitted, checkpoint);
    while (unpublished.length > 0 && unpublished[0]!.checkpoint <= checkpoint) {
      await this.publisher.publish(unpublished[0]!.piece, 'running');
      unpublished.shift();
    }
    // What this history left behind the checkpoint it goes on from is swept with the next one.
    const from = this.parts.context.restored?.checkpoint ?? 0;
    if (this.hasSwept || checkpoint <= from) return;
    const others = await this.sweep(checkpoint, this.ownHidden());
    this.hasSwept = true;
    // Looked at again: rows may have been written since.
    const own = this.ownHidden();
    this.warnOfOthers(others.filter((path) => !own.has(path)));
  }

  finish(): Promise<void> {
    return this.flush();
  }

  /** What was prepared stays: its checkpoint may be committed. */
  async close(): Promise<void> {
    const { staging } = this;
    this.staging = undefined;
    await staging?.discard();
  }

  private async restore(output: StagedOutput): Promise<void> {
    await assertAsLeft(this.parts.context.env.storage, output);
    for (const piece of output.pieces) await this.publisher.publish(piece, 'restart');
  }

  /** Those of the subtasks whose outputs it adopts, where these went to what is the sink's now. */
  private hiddenOfDropped(outputs: readonly (StagedOutput | undefined)[]): HiddenFiles[] {
    const { context, placeOf } = this.parts;
    const { subtask, parallelism } = context;
    return outputs.flatMap((output, index) => {
      if (index < parallelism || index % parallelism !== subtask) return [];
      const { destination, hidden } = placeOf(index);
      return output?.home === destination.home ? [hidden] : [];
    });
  }

  private async sweep(committed: number, keep: ReadonlySet<string>): Promise<readonly string[]> {
    const others: string[] = [];
    for (const hidden of this.swept) others.push(...(await hidden.sweep(committed, keep)));
    return others;
  }

  private ownHidden(): ReadonlySet<string> {
    const own = this.unpublished.map(({ piece }) => piece.aside);
    if (this.staging?.path !== undefined) own.push(this.staging.path);
    return new Set(own);
  }

  /**
   * Those of a longer history than this one's, which lies in another checkpoint folder or was
   * deleted, and those that do not say whose they are. Checkpoints may name them, so they are not
   * for this job to remove.
   */
  private warnOfOthers([example, ...more]: readonly string[]): void {
    if (example === undefined) return;
    const message =
      'hidden files beside the output are of another history of the job, or of a version that ' +
      'did not say whose they are; delete them when no checkpoint that names them will be ' +
      'restored any more';
    this.parts.context.log.log('warn', message, { files: more.length + 1, example });
  }

  private newStaging(head: string): StagingFile {
    const newPath = () => this.place.hidden.newPath(this.lastCommitted);
    return new StagingFile(this.parts.context.env.storage, newPath, head);
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
