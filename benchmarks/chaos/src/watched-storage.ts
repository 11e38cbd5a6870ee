import type { Storage, StorageFile } from '@millrace/core/spi';
import {
  type BlobKind,
  type CommitStep,
  type Operation,
  type Places,
  stepAfterCommit,
  stepOf,
} from './commit-steps.js';
import type { StepWatcher } from './step-watcher.js';

/** What is told of the storage's calls. */
type StorageSteps = Pick<StepWatcher<CommitStep>, 'noteCall' | 'noteCommit' | 'around'>;

/** The storage, with each commit step told, and the process killed where it is to be. */
export function watchedStorage(storage: Storage, places: Places, steps: StorageSteps): Storage {
  const calls = new WatchedCalls(places, steps);
  const around = <R>(operation: Operation | 'other', path: string, act: () => Promise<R>) =>
    calls.around({ operation, path }, act);
  return {
    create: async (path) => {
      const file = await around('other', path, () => storage.create(path));
      return new WatchedFile(file, path, calls);
    },
    open: async (path) => {
      const file = await around('other', path, () => storage.open(path));
      return new WatchedFile(file, path, calls);
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

class WatchedCalls {
  private readonly places: Places;
  private readonly steps: StorageSteps;

  constructor(places: Places, steps: StorageSteps) {
    this.places = places;
    this.steps = steps;
  }

  async around<R>({ operation, path, blob, half }: Call, act: () => Promise<R>): Promise<R> {
    const { places, steps } = this;
    steps.noteCall();
    const step = operation === 'other' ? undefined : stepOf(operation, path, places, blob);
    if (step === undefined) return act();
    if (step === stepAfterCommit) steps.noteCommit();
    return steps.around(step, act, half);
  }
}

class WatchedFile implements StorageFile {
  private readonly file: StorageFile;
  private readonly path: string;
  private readonly calls: WatchedCalls;
  private blob: BlobKind | undefined;

  constructor(file: StorageFile, path: string, calls: WatchedCalls) {
    this.file = file;
    this.path = path;
    this.calls = calls;
  }

  write(bytes: Uint8Array, atByte: number): Promise<void> {
    this.blob ??= kindOf(bytes);
    const half = () => this.file.write(bytes.subarray(0, bytes.length >> 1), atByte);
    return this.calls.around({ operation: 'write', path: this.path, blob: this.blob, half }, () =>
      this.file.write(bytes, atByte),
    );
  }

  sync(): Promise<void> {
    const { path, blob } = this;
    return this.calls.around({ operation: 'sync', path, blob }, () => this.file.sync());
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Manifests are JSON, segments begin with a magic number, staged rows with how many they are. */
function kindOf(bytes: Uint8Array): BlobKind {
  const head = String.fromCharCode(...bytes.subarray(0, 6));
  if (head === 'MLRSEG') return 'segment';
  return head.startsWith('{"') ? 'manifest' : 'staged';
}
