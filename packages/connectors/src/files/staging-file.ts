import { crc32 } from 'node:zlib';
import type { Storage, StorageFile } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { StagedPiece } from './staged-output.js';

/** A hidden file that rows are gathered in. It is made when there is something to write to it. */
export class StagingFile {
  private readonly storage: Storage;
  private readonly newPath: () => Promise<string>;
  /** Undefined while there is no file. */
  path: string | undefined;
  private file: StorageFile | undefined;
  private buffered: string;
  private bytes = 0;
  private crc = 0;

  /**
   * @param newPath a path that no file has
   * @param head what the file begins with
   */
  constructor(storage: Storage, newPath: () => Promise<string>, head: string) {
    this.storage = storage;
    this.newPath = newPath;
    this.buffered = head;
  }

  /** Takes text; a promise when the buffer is full and has to be written first. */
  add(text: string): undefined | Promise<void> {
    this.buffered += text;
    return this.buffered.length < connectorLimits.writeBufferChars ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    if (this.buffered === '') return;
    const rows = Buffer.from(this.buffered);
    this.buffered = '';
    this.path ??= await this.newPath();
    this.file ??= await this.storage.create(this.path);
    await this.file.write(rows, this.bytes);
    this.bytes += rows.length;
    this.crc = crc32(rows, this.crc);
  }

  /** Completes the file so that its bytes, not yet its name, outlive a power cut. */
  async seal(): Promise<Pick<StagedPiece, 'aside' | 'bytes' | 'crc32'> | undefined> {
    await this.flush();
    if (this.path === undefined) return undefined;
    const { file } = this;
    await file?.sync();
    this.file = undefined;
    await file?.close();
    return { aside: this.path, bytes: this.bytes, crc32: this.crc };
  }

  /** Throws away what no checkpoint knows of. */
  async discard(): Promise<void> {
    const { file, path } = this;
    this.file = undefined;
    await file?.close();
    if (path !== undefined) await this.storage.remove(path);
  }
}
