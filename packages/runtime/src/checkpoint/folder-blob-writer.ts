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

export class FolderBlobWriter implements BlobWriter {
  private readonly blob: BlobInProgress;
  private readonly storage: Storage;
  private readonly digest = sha256Digest();
  private bytes = 0;
  private life: 'open' | 'closed' | 'named' | 'done' = 'open';

  constructor(blob: BlobInProgress, storage: Storage) {
    this.blob = blob;
    this.storage = storage;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const atByte = this.bytes;
    this.digest.update(bytes);
    this.bytes += bytes.length;
    await this.blob.file.write(bytes, atByte);
  }

  async complete(): Promise<BlobInfo> {
    const { name, path, aside, file } = this.blob;
    await file.sync();
    this.life = 'closed';
    await file.close();
    await this.storage.rename(aside, path);
    this.life = 'named';
    await this.storage.syncFolder(path.slice(0, path.lastIndexOf('/')));
    const sha256 = this.digest.hex();
    await this.verify(sha256);
    this.life = 'done';
    return { name, bytes: this.bytes, sha256 };
  }

  async abort(): Promise<void> {
    const { life } = this;
    this.life = 'done';
    if (life === 'done') return;
    if (life === 'open') await this.blob.file.close();
    await this.storage.remove(life === 'named' ? this.blob.path : this.blob.aside);
  }

  /** Disks and file systems lie; this finds it out while the data is still elsewhere, too. */
  private async verify(sha256: string): Promise<void> {
    const found = sha256Digest();
    // One byte more than there should be shows a file that is longer.
    for (let at = 0; at <= this.bytes; at += runtimeLimits.blobReadBytes) {
      const length = Math.min(this.bytes + 1 - at, runtimeLimits.blobReadBytes);
      found.update(await this.storage.read(this.blob.path, at, length));
    }
    if (found.hex() === sha256) return;
    throw new MillraceError(
      'ERR_STORAGE_FAILED',
      `${this.blob.path} is not what was written to it`,
    );
  }
}
