import { MillraceError } from '@millrace/core';
import type { Storage, StorageFile } from '@millrace/core/spi';
import type { DiskFault, DiskOperation, DiskStep } from './simulated-disk.js';
import type { SimulatedFileSystem } from './simulated-file-system.js';
import type { SimulatedFile } from './simulated-files.js';

/** What a process asks its disk at each operation. */
export interface DiskHooks {
  step(step: DiskStep): Promise<void>;
  faultOf(operation: DiskOperation, path: string): DiskFault | undefined;
}

/** A simulated disk as one process sees it, until that is killed. */
export class SimulatedProcess implements Storage {
  private readonly name: string;
  private readonly files: SimulatedFileSystem;
  private readonly hooks: DiskHooks;
  private life: 'running' | 'killed' = 'running';

  constructor(name: string, files: SimulatedFileSystem, hooks: DiskHooks) {
    this.name = name;
    this.files = files;
    this.hooks = hooks;
  }

  kill(): void {
    this.life = 'killed';
  }

  create(path: string): Promise<StorageFile> {
    return this.run('create', path, () => this.handle(path, this.files.create(path)));
  }

  open(path: string): Promise<StorageFile> {
    return this.run('open', path, () => this.handle(path, this.files.open(path)));
  }

  read(path: string, fromByte = 0, length = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    return this.run('read', path, () => this.files.read(path, fromByte, length));
  }

  size(path: string): Promise<number | undefined> {
    return this.run('size', path, () => this.files.size(path));
  }

  list(folder: string): Promise<readonly string[]> {
    return this.run('list', folder, () => this.files.list(folder));
  }

  makeFolder(path: string): Promise<void> {
    return this.run('makeFolder', path, () => this.files.makeFolder(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.run('rename', from, () => this.files.rename(from, to));
  }

  link(from: string, to: string): Promise<'linked' | 'taken'> {
    return this.run('link', to, () => this.files.link(from, to));
  }

  remove(path: string): Promise<void> {
    return this.run('remove', path, () => this.files.remove(path));
  }

  syncFolder(path: string): Promise<void> {
    return this.run('syncFolder', path, () => this.files.syncFolder(path));
  }

  private async run<T>(operation: DiskOperation, path: string, act: () => T): Promise<T> {
    await this.step('before', operation, path);
    const fault = this.hooks.faultOf(operation, path);
    if (fault?.effect === 'done') act();
    const result = fault === undefined ? act() : undefined;
    await this.step('after', operation, path);
    if (fault !== undefined) {
      const why = `${operation} ${path}: a fault of the simulated disk`;
      throw new MillraceError(fault.code, why);
    }
    return result as T;
  }

  private async step(
    when: DiskStep['when'],
    operation: DiskOperation,
    path: string,
  ): Promise<void> {
    if (this.life === 'running') {
      await this.hooks.step({ when, operation, path, process: this.name });
    }
    // Killed before or while it waited: nobody is left who could be answered.
    if (this.life === 'killed') await new Promise<never>(() => {});
  }

  private handle(path: string, file: SimulatedFile): StorageFile {
    let open = true;
    const assertOpen = (): void => {
      if (!open) throw new MillraceError('ERR_STORAGE_FAILED', `${path}: the file is closed`);
    };
    return {
      write: (bytes, atByte) =>
        this.run('write', path, () => {
          assertOpen();
          this.files.write(path, file, bytes, atByte);
        }),
      sync: () => this.sync(path, file, assertOpen),
      close: () =>
        this.run('close', path, () => {
          assertOpen();
          open = false;
        }),
    };
  }

  private async sync(path: string, file: SimulatedFile, assertOpen: () => void): Promise<void> {
    let synced = false;
    try {
      await this.run('sync', path, () => {
        assertOpen();
        file.sync();
        synced = true;
      });
    } finally {
      if (!synced) file.failSync();
    }
  }
}
