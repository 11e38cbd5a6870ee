import type { CheckpointStore, OutputStaging, StagedBlob, StagingWriter } from '@millrace/core/spi';
import { outputName } from './blob-names.js';

export interface StoreOutputStagingParts {
  readonly store: CheckpointStore;
  /** A name that no other attempt of any process has. */
  readonly attempt: string;
  readonly operator: string;
  readonly subtask: number;
}

/** Keeps what a sink has not published in the checkpoint store. */
export class StoreOutputStaging implements OutputStaging {
  private readonly parts: StoreOutputStagingParts;
  private created = 0;

  constructor(parts: StoreOutputStagingParts) {
    this.parts = parts;
  }

  async create(): Promise<StagingWriter> {
    const { store, attempt } = this.parts;
    this.created += 1;
    const writer = await store.create(outputName(attempt, this.parts, this.created));
    return {
      write: (bytes) => writer.write(bytes),
      complete: async () => {
        const { name: blob, bytes, sha256 } = await writer.complete();
        return { blob, bytes, sha256 };
      },
      abort: () => writer.abort(),
    };
  }

  read({ blob }: StagedBlob, fromByte: number, length: number): Promise<Uint8Array> {
    return this.parts.store.read(blob, fromByte, length);
  }
}
