/** A record of the meta store. Revisions count from 1. */
export interface MetaRecord {
  readonly revision: number;
  readonly value: Uint8Array;
}

/** `ok: false`: the record is at another revision than was expected, and nothing was written. */
export type CompareAndSetResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false };

/**
 * Named records that change by compare-and-set only: the one place where it is decided who is
 * right. Names are lower-case letters, digits, `-` and `.`.
 *
 * Law: of several callers that expect the same revision at most one succeeds, also when one of
 * them was paused for any length of time.
 *
 * A rejected `compareAndSet` is ambiguous: it may have happened. Its caller repeats it with the
 * same expectation, and when that says no, reads the record and compares the content.
 */
export interface MetaStore {
  /** The record; undefined when it was never written. */
  read(name: string): Promise<MetaRecord | undefined>;
  /** @param expected revision the record must have; 0 when it must not be there */
  compareAndSet(name: string, expected: number, value: Uint8Array): Promise<CompareAndSetResult>;
}

/** A blob being written: nobody sees it before `complete`. */
export interface BlobWriter {
  /** Appends; the bytes are the caller's again once the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the blob durable and visible under its name, then reads it back and compares.
   *
   * @throws MillraceError when what was read back differs (`ERR_STORAGE_FAILED`)
   */
  complete(): Promise<BlobInfo>;
  /** Gives up and frees what was written. */
  abort(): Promise<void>;
}

export interface BlobInfo {
  readonly name: string;
  readonly bytes: number;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Immutable blobs by name: segments and manifests of checkpoints. Names are unique for ever:
 * they carry checkpoint, attempt and task. A name is parts of letters, digits, `-`, `_`, `.`
 * separated by `/`.
 *
 * Errors are those of `Storage`.
 */
export interface CheckpointStore {
  create(name: string): Promise<BlobWriter>;
  /** @throws MillraceError `ERR_STORAGE_MISSING` */
  read(name: string, fromByte?: number, length?: number): Promise<Uint8Array>;
  size(name: string): Promise<number | undefined>;
  /** Names of all complete blobs that begin with `prefix`, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
  /**
   * Gives a blob a second name in this store, by link or copy: how a savepoint becomes part of a
   * checkpoint chain. `from` is a name in `store`.
   */
  adopt(store: CheckpointStore, from: string, name: string): Promise<void>;
}
