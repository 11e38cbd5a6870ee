import { MillraceError } from '@millrace/core';
import { ClassicLevel } from 'classic-level';
import { stateLimits } from '../limits.js';
import type { SpillEntry, SpillOperation, SpillRange, SpillStore } from './spill-store.js';

/** Rows in a LevelDB of its own, in a folder that is scratch: it is emptied when it is opened. */
export class ClassicLevelStore implements SpillStore {
  private readonly folder: string;
  private database: ClassicLevel<Uint8Array, Uint8Array> | undefined;

  /** @param folder nobody else's; made when there is none */
  constructor(folder: string) {
    this.folder = folder;
  }

  async open(): Promise<void> {
    await named('opened', ClassicLevel.destroy(this.folder));
    const database = new ClassicLevel<Uint8Array, Uint8Array>(this.folder, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      compression: false,
      cacheSize: stateLimits.spillCacheBytes,
      writeBufferSize: stateLimits.spillWriteBufferBytes,
      maxFileSize: stateLimits.spillFileBytes,
    });
    await named('opened', database.open());
    this.database = database;
  }

  async close(): Promise<void> {
    const { database } = this;
    this.database = undefined;
    await named('closed', database?.close() ?? Promise.resolve());
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    const database = this.opened();
    try {
      return database.getSync(key);
    } catch (error) {
      throw failed('read', error);
    }
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return named('read', this.opened().getMany(keys as Uint8Array[]));
  }

  write(operations: readonly SpillOperation[]): Promise<void> {
    return named('written', this.opened().batch(operations as SpillOperation[]));
  }

  clear({ from, to }: SpillRange): Promise<void> {
    return named('written', this.opened().clear({ gte: from, lt: to }));
  }

  async *pages({ from, to }: SpillRange, rowsMax: number): AsyncGenerator<readonly SpillEntry[]> {
    const iterator = this.opened().iterator({ gte: from, lt: to, fillCache: false });
    try {
      for (;;) {
        const entries = await named('read', iterator.nextv(rowsMax));
        if (entries.length === 0) return;
        yield entries;
      }
    } finally {
      await iterator.close();
    }
  }

  private opened(): ClassicLevel<Uint8Array, Uint8Array> {
    if (this.database !== undefined) return this.database;
    throw new MillraceError('ERR_INVARIANT', 'a store of rows is used while it is not open');
  }
}

async function named<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw failed(what, error);
  }
}

const failed = (what: string, cause: unknown): MillraceError =>
  new MillraceError('ERR_STORAGE_FAILED', `state outside memory cannot be ${what}`, { cause });
