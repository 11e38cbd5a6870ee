import { MillraceError } from '@millrace/core';
import type { CheckpointStore } from '@millrace/core/spi';
import { savepointManifestName } from './blob-names.js';

/** Names of a job's savepoints: each is given once, also where two are asked for at a time. */
export class SavepointNames {
  private readonly store: CheckpointStore;
  /** Of those that are asked for and not complete. */
  private readonly underWay = new Set<string>();

  constructor(store: CheckpointStore) {
    this.store = store;
  }

  /**
   * Keeps the name while the savepoint is taken.
   *
   * @throws MillraceError `ERR_INVALID_OPTION` for a name that none can have, or that one has
   */
  async claim<R>(name: string, take: () => Promise<R>): Promise<R> {
    if (this.underWay.has(name)) throw taken(name);
    // Ahead of the store's answer: another one may ask meanwhile.
    this.underWay.add(name);
    try {
      await this.assertNew(name);
      return await take();
    } finally {
      this.underWay.delete(name);
    }
  }

  private async assertNew(name: string): Promise<void> {
    const size = await this.store.size(savepointManifestName(name));
    if (size !== undefined) throw taken(name);
  }
}

const taken = (name: string): MillraceError =>
  new MillraceError('ERR_INVALID_OPTION', `there is a savepoint ${name} already`);
