import type { Storage, StorageFile } from '@millrace/core/spi';
import {
  type BlobKind,
  type Operation,
  type Places,
  stepAfterCommit,
  stepOf,
} from './commit-steps.js';
import type { Failpoint, LifeEvent } from './life-protocol.js';

/** What watching a storage takes. */
export interface Watch {
  readonly places: Places;
  readonly failpoint: Failpoint | undefined;
  /** Must have happened when it returns: the process may be dead in the next moment. */
  readonly tell: (event: LifeEvent) => void;
  /** Ends the process without another word. */
  readonly kill: () => void;
}

/** The storage, with each commit step told, and the process killed where it is to be. */
export function watchedStorage(storage: Storage, watch: Watch): Storage {
  const steps = new StepWatcher(watch);
  const around = <R>(operation: Operation | 'other', path: string, act: () => Promise<R>) =>
    steps.around({ operation, path }, act);
  return {
    create: async (path) => {
      const file = await around('other', path, () => storage.create(path));
      return new WatchedFile(file, path, steps);
    },
    open: async (path) => {
      const file = await around('other', path, () => storage.open(path));
      return new WatchedFile(file, path, steps);
    },
    read: (path, ...range) => around('read', path, () => storage.read(path, ...range)),
    size: (path) => around('other', path, () => storage.size(path)),
    list: (folder) => around('other', folder, () => storage.list(folder)),
    makeFolder: (path) => around('other', path, () => storage.makeFolder(path)),
    rename: (from, to) => around('rename', to, () => storage.rename(from, to)),
    link: (from, to) => around('link', to, () => storage.link(from, to)),
    remove: (path) => around('remove', path, () => storage.remove(path)),
    syncFolder: (path) => around('syncFolder', path, () => storage.syncFolder(path)),
  };
}

interface Call {
  readonly operation: Operation | 'other';
  readonly path: string;
  readonly blob?: BlobKind | undefined;
  /** Does half of it; for writes. */
  readonly half?: (() => Promise<void>) | undefined;
}

class StepWatcher {
  private readonly watch: Watch;
  private hasCommitted = false;
  private calls = 0;
  /** Of the failpoint's step, since the first commit. */
  private occurrences = 0;

  constructor(watch: Watch) {
    this.watch = watch;
  }

  async around<R>(call: Call, act: () => Promise<R>): Promise<R> {
    const { places, failpoint, tell } = this.watch;
    this.calls += 1;
    if (failpoint?.kind === 'start' && failpoint.call === this.calls) this.die('start');
    const { operation, path, blob } = call;
    const step = operation === 'other' ? undefined : stepOf(operation, path, places, blob);
    if (step === undefined) return act();
    if (step === stepAfterCommit) {
      this.hasCommitted = true;
      tell({ kind: 'committed' });
    }
    const isHere = this.isFailpoint(step);
    const moment = isHere && failpoint?.kind === 'step' ? failpoint.moment : undefined;
    tell({ kind: 'begun', step });
    if (moment === 'during') await call.half?.();
    if (moment === 'before' || moment === 'during') this.die(step);
    const result = await act();
    if (moment === 'after') this.die(step);
    tell({ kind: 'ended', step });
    return result;
  }

  private isFailpoint(step: string): boolean {
    const { failpoint } = this.watch;
    if (!this.hasCommitted || failpoint?.kind !== 'step' || failpoint.step !== step) return false;
    this.occurrences += 1;
    return this.occurrences === failpoint.occurrence;
  }

  private die(step: Extract<LifeEvent, { kind: 'failpoint' }>['step']): void {
    this.watch.tell({ kind: 'failpoint', step });
    this.watch.kill();
  }
}

class WatchedFile implements StorageFile {
  private readonly file: StorageFile;
  private readonly path: string;
  private readonly steps: StepWatcher;
  private blob: BlobKind | undefined;

  constructor(file: StorageFile, path: string, steps: StepWatcher) {
    this.file = file;
    this.path = path;
    this.steps = steps;
  }

  write(bytes: Uint8Array, atByte: number): Promise<void> {
    // Manifests are JSON, segments begin with a magic number.
    this.blob ??= bytes[0] === 0x7b ? 'manifest' : 'segment';
    const half = () => this.file.write(bytes.subarray(0, bytes.length >> 1), atByte);
    return this.steps.around({ operation: 'write', path: this.path, blob: this.blob, half }, () =>
      this.file.write(bytes, atByte),
    );
  }

  sync(): Promise<void> {
    const { path, blob } = this;
    return this.steps.around({ operation: 'sync', path, blob }, () => this.file.sync());
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
