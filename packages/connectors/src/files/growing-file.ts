import { dirname } from 'node:path';
import { MillraceError } from '@millrace/core';
import type { Storage } from '@millrace/core/spi';
import { sizeChanged } from './publisher.js';
import type { SinkDestination } from './sink-destination.js';
import type { StagedOutput, StagedPiece } from './staged-output.js';

const newline = 0x0a;

/** One file that rows are appended to. */
export class GrowingFile implements SinkDestination {
  readonly home: string;
  readonly head = '';
  endByte = 0;
  private readonly storage: Storage;
  private readonly headOfEmpty: string;

  /** @param headOfEmpty what an empty file begins with */
  constructor(storage: Storage, path: string, headOfEmpty: string) {
    this.storage = storage;
    this.home = path;
    this.headOfEmpty = headOfEmpty;
  }

  async open(restored: StagedOutput | undefined): Promise<string> {
    const { storage, home } = this;
    await assertFolder(storage, dirname(home));
    if (restored !== undefined && restored.endByte !== null) {
      this.endByte = restored.endByte;
      return '';
    }
    this.endByte = (await storage.size(home)) ?? 0;
    if (this.endByte === 0) return this.headOfEmpty;
    const [last] = await storage.read(home, this.endByte - 1, 1);
    return last === newline ? '' : '\n';
  }

  async place(_checkpoint: number, { bytes }: Pick<StagedPiece, 'bytes'>) {
    const atByte = this.endByte;
    this.endByte += bytes;
    return { target: this.home, atByte };
  }
}

/** Missing, it would show with the first result, which may be hours later. */
async function assertFolder(storage: Storage, folder: string): Promise<void> {
  try {
    await storage.syncFolder(folder);
  } catch (cause) {
    if (!(cause instanceof MillraceError) || cause.code !== 'ERR_STORAGE_MISSING') throw cause;
    throw new MillraceError('ERR_STORAGE_MISSING', `there is no folder ${folder}: make it`);
  }
}

/**
 * Refuses a file that is not what its sink left, before anything is written to it.
 *
 * @throws MillraceError ERR_SINK_CHANGED with its path, and its size as expected and as found
 */
export async function assertAsLeft(storage: Storage, output: StagedOutput): Promise<void> {
  const { home, endByte, pieces } = output;
  if (endByte === null) return;
  const published = pieces[0]?.atByte ?? endByte;
  const size = (await storage.size(home)) ?? 0;
  if (size >= published && size <= endByte) return;
  const expected = published === endByte ? `${endByte}` : `${published} to ${endByte}`;
  const remedy =
    size > endByte ? `; cut it to ${endByte} bytes to have the rest written again` : '';
  throw sizeChanged(home, expected, size, remedy);
}
