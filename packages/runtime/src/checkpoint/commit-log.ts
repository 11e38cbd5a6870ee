import { MillraceError } from '@millrace/core';
import { canonicalJson } from '@millrace/core/internal';
import type { MetaRecord, MetaStore } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import { commitRecordName } from './blob-names.js';
import type { CommitRecord } from './manifest.js';

/**
 * A job's commit record, changed by compare-and-set. One write at a time.
 *
 * A write that rejects may have happened all the same. It is repeated with the same expectation;
 * when that says no, the content tells whether it was this one that had happened, or one before
 * it of which no answer ever came, or somebody else's.
 */
export class CommitLog {
  private readonly meta: MetaStore;
  private revision = 0;
  private last: CommitRecord | undefined;
  /** What was written without an answer. */
  private unanswered: Uint8Array[] = [];

  constructor(meta: MetaStore) {
    this.meta = meta;
  }

  /** As it was loaded or written last. */
  get record(): CommitRecord | undefined {
    return this.last;
  }

  async load(): Promise<CommitRecord | undefined> {
    const found = await this.meta.read(commitRecordName);
    this.revision = found?.revision ?? 0;
    this.last = found === undefined ? undefined : parse(found);
    return this.last;
  }

  /**
   * @throws MillraceError `ERR_CHECKPOINT_SUPERSEDED` when another coordinator has written;
   *   that of the store when it did not answer: then it may have happened
   */
  async write(record: CommitRecord): Promise<void> {
    const value = new TextEncoder().encode(canonicalJson(record));
    for (let tries = 1; ; tries++) {
      try {
        this.revision = await this.tryWrite(value);
        this.last = record;
        this.unanswered = [];
        return;
      } catch (error) {
        if (isFinal(error)) throw error;
        if (tries < runtimeLimits.commitTriesMax) continue;
        this.unanswered = [...this.unanswered, value].slice(-runtimeLimits.unansweredCommitsMax);
        throw error;
      }
    }
  }

  /** A deliberate restore has opened its sinks: from now on the job stands there. */
  async settle(): Promise<void> {
    if (this.last?.left !== undefined) await this.write({ ...this.last, left: undefined });
  }

  /** @throws MillraceError `ERR_CHECKPOINT_SUPERSEDED` when the record changed since it was read */
  async assertCurrent(): Promise<void> {
    const current = await this.meta.read(commitRecordName);
    if (current !== undefined && current.revision !== this.revision) throw superseded(current);
  }

  /** Why nothing more will be committed here: another coordinator has taken over. */
  async superseded(): Promise<MillraceError | undefined> {
    const current = await this.meta.read(commitRecordName);
    const isLater = current !== undefined && parse(current).epoch > (this.last?.epoch ?? 0);
    return isLater ? superseded(current) : undefined;
  }

  /** The revision that has the value. */
  private async tryWrite(value: Uint8Array): Promise<number> {
    for (;;) {
      const answer = await this.meta.compareAndSet(commitRecordName, this.revision, value);
      if (answer.ok) return answer.revision;
      const current = await this.meta.read(commitRecordName);
      if (current !== undefined && isEqual(current.value, value)) return current.revision;
      this.revision = this.earlierRevision(current);
    }
  }

  /** Of a write of ours that had happened although nobody said so. */
  private earlierRevision(current: MetaRecord | undefined): number {
    if (current === undefined || current.revision < this.revision) {
      throw new MillraceError(
        'ERR_METADATA_ROLLBACK',
        `revision ${this.revision} was there, and now the record is at ${current?.revision ?? 0}`,
      );
    }
    if (current.revision === this.revision) {
      throw new MillraceError('ERR_STORAGE_FAILED', `revision ${this.revision} did not change`);
    }
    if (this.unanswered.some((value) => isEqual(value, current.value))) return current.revision;
    throw superseded(current);
  }
}

function superseded(by: MetaRecord): MillraceError {
  const { epoch, attempt } = parse(by);
  return new MillraceError(
    'ERR_CHECKPOINT_SUPERSEDED',
    `by the coordinator of epoch ${epoch}, attempt ${attempt.number}-${attempt.random}`,
  );
}

function parse({ value, revision }: MetaRecord): CommitRecord {
  const record = JSON.parse(new TextDecoder().decode(value)) as CommitRecord;
  if (record.format !== 1) {
    throw new MillraceError(
      'ERR_CHECKPOINT_CORRUPT',
      `revision ${revision} of the commit record has format ${record.format}, which is unknown ` +
        'here: it may have been written by a newer version',
    );
  }
  return record;
}

function isFinal(error: unknown): boolean {
  return !(error instanceof MillraceError) || !error.code.startsWith('ERR_STORAGE_');
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
