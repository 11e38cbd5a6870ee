import { MillraceError } from '@millrace/core';
import type { BlobInfo, BlobWriter, Storage, StorageFile } from '@millrace/core/spi';
import { sha256Digest } from '../host/digest.js';
import { runtimeLimits } from '../limits.js';

/** A blob on its way into a folder. */
export interface BlobInProgress {
  readonly name: string;
  /** Of the file it will be. */
  readonly path: string;
  /** Of the temporary file, which is open. */
  readonly aside: string;
  readonly file: StorageFile;
}

/**
 * Memory for reading what was written, while nobody does; one piece at the most. Fresh memory for
 * each segment makes the garbage collector go through the whole heap at each checkpoint.
 */
const buffers: Uint8Array[] = [];

export class FolderBlobWriter implements BlobWriter {
  private readonly blob: BlobInProgress;
  private readonly storage: Storage;
  private readonly digest = sha256Digest();
  private bytes = 0;
  private life: 'open' | 'completing' | 'given up' | 'failed' | 'done' = 'open';
  private isOpen = true;
  /** Where the bytes are. */
  private place: string;

  constructor(blob: BlobInProgress, storage: Storage) {
    this.blob = blob;
    this.storage = storage;
    this.place = blob.aside;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const atByte = this.bytes;
    this.digest.update(bytes);
    this.bytes += bytes.length;
    await this.blob.file.write(bytes, atByte);
  }

  async complete(): Promise<BlobInfo> {
    const { name } = this.blob;
    this.life = 'completing';
    const sha256 = this.digest.hex();
    try {
      await this.store(sha256);
    } catch (error) {
      if (this.isGivenUp()) await this.remove();
      else this.life = 'failed';
      throw error;
    }
    if (this.isGivenUp()) {
      await this.remove();
      throw new MillraceError('ERR_STORAGE_FAILED', `${name} was given up while it was completed`);
    }
    this.life = 'done';
    return { name, bytes: this.bytes, sha256 };
  }

  /** While it is being completed, that rejects: nobody is to rely on a blob that was given up. */
  async abort(): Promise<void> {
    if (this.life === 'completing') this.life = 'given up';
    else if (this.life === 'open' || this.life === 'failed') await this.remove();
  }

  private isGivenUp(): boolean {
    return this.life === 'given up';
  }

  private async store(sha256: string): Promise<void> {
    const { path, aside, file } = this.blob;
    await file.sync();
    this.isOpen = false;
    await file.close();
    await this.storage.rename(aside, path);
    this.place = path;
    await this.storage.syncFolder(path.slice(0, path.lastIndexOf('/')));
    await this.verify(sha256);
  }

  private async remove(): Promise<void> {
    this.life = 'done';
    const { isOpen } = this;
    this.isOpen = false;
    if (isOpen) await this.blob.file.close();
    await this.storage.remove(this.place);
  }

  /** Disks and file systems lie; this finds it out while the data is still elsewhere, too. */
  private async verify(sha256: string): Promise<void> {
    const found = sha256Digest();
    const buffer = buffers.pop() ?? new Uint8Array(runtimeLimits.blobReadBytes);
    // One byte more than there should be shows a file that is longer.
    for (let at = 0; at <= this.bytes; at += buffer.length) {
      const length = Math.min(this.bytes + 1 - at, buffer.length);
      found.update(await this.storage.read(this.blob.path, at, length, buffer));
    }
    if (buffers.length === 0) buffers.push(buffer);
    if (found.hex() === sha256) return;
    throw new MillraceError(
      'ERR_STORAGE_FAILED',
      `${this.blob.path} is not what was written to it`,
    );
  }
}
