/** A file that is being written. Writes are positional, so that repeating one does no harm. */
export interface StorageFile {
  /** Writes all of `bytes` at an offset; the caller may reuse them once the promise resolves. */
  write(bytes: Uint8Array, atByte: number): Promise<void>;
  /** Resolves when everything written outlives a power cut, given that the file's name does. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Files and folders, as far as the engine needs them. Paths use `/`.
 *
 * What is written is seen by readers at once and outlives the process. It outlives the *machine's*
 * power only once synced: a file's bytes by `StorageFile.sync`, its name (made, renamed, linked or
 * removed) by `syncFolder` of the folder it is in.
 *
 * Errors are `MillraceError`s that name the path: `ERR_STORAGE_FULL` (no space; retryable),
 * `ERR_STORAGE_READ_ONLY` (no permission, or a read-only file system), `ERR_STORAGE_MISSING` (no
 * such file), `ERR_STORAGE_FAILED` (anything else, e.g. EIO; retryable).
 */
export interface Storage {
  /** Creates an empty file, or empties the one there is. Its folder must exist. */
  create(path: string): Promise<StorageFile>;
  /** Opens a file for more writing, made empty when there is none. */
  open(path: string): Promise<StorageFile>;
  /**
   * Bytes from an offset on: `length` of them, or to the end; fewer where the file ends before.
   *
   * @param into memory that the answer may be read into and be a view of, where it is large enough
   */
  read(path: string, fromByte?: number, length?: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Bytes in the file; undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** Names in a folder, sorted; none when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Makes a folder with its parents, durably; no error when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Gives the file a new name, in place of a file that has it already. */
  rename(from: string, to: string): Promise<void>;
  /** Gives the file a second name, unless that one is taken: one of several callers gets it. */
  link(from: string, to: string): Promise<'linked' | 'taken'>;
  /** Removes a file; no error when there is none. */
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
}
