import { MillraceError } from '@millrace/core';
import type { Random } from '@millrace/core/spi';
import { type SimulatedEntry, SimulatedFile, SimulatedFolder } from './simulated-files.js';

/** The tree of a simulated disk: what its operations do, at once and without faults. */
export class SimulatedFileSystem {
  /** Bytes that all files together may have. */
  capacityBytes: number;
  /** Nothing can be changed. */
  readOnly = false;
  private readonly root = new SimulatedFolder();

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  create(path: string): SimulatedFile {
    const file = this.open(path);
    file.empty();
    return file;
  }

  open(path: string): SimulatedFile {
    this.assertWritable(path);
    const { folder, name } = this.placeOf(path);
    const found = folder.get(name);
    if (found instanceof SimulatedFolder) throw failed(path, 'is a folder');
    if (found !== undefined) return found;
    const file = new SimulatedFile();
    folder.change([[name, file]]);
    return file;
  }

  /** Like a real disk it writes what fits, and then says that it is full. */
  write(path: string, file: SimulatedFile, bytes: Uint8Array, atByte: number): void {
    this.assertWritable(path);
    const free = this.capacityBytes - this.usedBytes();
    const fits = Math.max(0, Math.min(bytes.length, file.length + free - atByte));
    file.write(bytes.subarray(0, fits), atByte);
    if (fits < bytes.length) throw new MillraceError('ERR_STORAGE_FULL', `write ${path}: ENOSPC`);
  }

  read(path: string, fromByte: number, length: number): Uint8Array {
    return this.fileAt(path).read(fromByte, length);
  }

  size(path: string): number | undefined {
    const entry = this.find(path);
    return entry instanceof SimulatedFile ? entry.length : undefined;
  }

  list(path: string): readonly string[] {
    const entry = this.find(path);
    return entry instanceof SimulatedFolder ? entry.names() : [];
  }

  makeFolder(path: string): void {
    let folder = this.root;
    for (const part of partsOf(path)) {
      if (folder.get(part) === undefined) this.assertWritable(path);
      const next = folder.makeFolder(part);
      if (next instanceof SimulatedFile) throw failed(path, 'is a file');
      folder = next;
    }
  }

  rename(from: string, to: string): void {
    this.assertWritable(from);
    const file = this.fileAt(from);
    const source = this.placeOf(from);
    const target = this.placeOf(to);
    // POSIX: two names of one file, and nothing happens.
    if (target.folder.get(target.name) === file) return;
    if (source.folder === target.folder) {
      source.folder.change([
        [source.name, undefined],
        [target.name, file],
      ]);
    } else {
      target.folder.change([[target.name, file]]);
      source.folder.change([[source.name, undefined]]);
    }
  }

  link(from: string, to: string): 'linked' | 'taken' {
    this.assertWritable(to);
    const file = this.fileAt(from);
    const { folder, name } = this.placeOf(to);
    const found = folder.get(name);
    if (found !== undefined) return found === file ? 'linked' : 'taken';
    folder.change([[name, file]]);
    return 'linked';
  }

  remove(path: string): void {
    this.assertWritable(path);
    const entry = this.find(path);
    if (entry === undefined) return;
    if (entry instanceof SimulatedFolder) throw failed(path, 'is a folder');
    const { folder, name } = this.placeOf(path);
    folder.change([[name, undefined]]);
  }

  syncFolder(path: string): void {
    this.folderAt(path).sync();
  }

  cutPower(random: Random): void {
    const seen = new Set<SimulatedEntry>([this.root]);
    // Grows while it is walked: a folder's surviving names are known once it was cut.
    for (const entry of seen) {
      entry.cutPower(random);
      if (entry instanceof SimulatedFolder) for (const child of entry.entries()) seen.add(child);
    }
  }

  fileAt(path: string): SimulatedFile {
    const entry = this.find(path);
    if (entry instanceof SimulatedFile) return entry;
    if (entry === undefined) throw new MillraceError('ERR_STORAGE_MISSING', `${path}: ENOENT`);
    throw failed(path, 'is a folder');
  }

  private usedBytes(): number {
    const seen = new Set<SimulatedEntry>([this.root]);
    let bytes = 0;
    for (const entry of seen) {
      if (entry instanceof SimulatedFile) bytes += entry.length;
      else for (const child of entry.entries()) seen.add(child);
    }
    return bytes;
  }

  private find(path: string): SimulatedEntry | undefined {
    let entry: SimulatedEntry | undefined = this.root;
    for (const part of partsOf(path)) {
      entry = entry instanceof SimulatedFolder ? entry.get(part) : undefined;
    }
    return entry;
  }

  private folderAt(path: string): SimulatedFolder {
    const entry = this.find(path);
    if (entry instanceof SimulatedFolder) return entry;
    throw new MillraceError('ERR_STORAGE_MISSING', `no folder ${path}`);
  }

  private placeOf(path: string): { readonly folder: SimulatedFolder; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw failed(path, 'is the root');
    return { folder: this.folderAt(parts.join('/')), name };
  }

  private assertWritable(path: string): void {
    if (this.readOnly) throw new MillraceError('ERR_STORAGE_READ_ONLY', `${path}: EROFS`);
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function failed(path: string, why: string): MillraceError {
  return new MillraceError('ERR_STORAGE_FAILED', `${path}: ${why}`);
}
