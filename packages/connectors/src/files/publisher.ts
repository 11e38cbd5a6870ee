import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import type { Storage } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { StagedPiece } from './staged-output.js';

/**
 * Makes staged rows visible. Repeating it does no harm, nor does a former process that does so
 * after its successor went on: the same bytes go to the same place.
 */
export class Publisher {
  private readonly storage: Storage;
  /** Files whose names are known to outlive a power cut. */
  private readonly durableNames = new Set<string>();

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /**
   * Publishes a piece and removes its hidden file.
   *
   * @param moment after a `restart` the target may hold anything where the piece goes: an earlier
   *   attempt may have been cut off. While the job is `running`, other bytes there are somebody
   *   else's, who would lose them.
   * @throws MillraceError ERR_SINK_CHANGED when the piece is lost, or the target is not as it was
   */
  async publish(piece: StagedPiece, moment: 'running' | 'restart'): Promise<void> {
    const { storage } = this;
    try {
      if (await holds(storage, piece.aside, 0, piece)) {
        if (piece.atByte === null) await this.link(piece);
        else await this.copy(piece, piece.atByte, moment);
        await storage.remove(piece.aside);
        return;
      }
    } catch (error) {
      // Another process has published it in the meantime, or that is seen below.
      if (!(error instanceof MillraceError) || error.code !== 'ERR_STORAGE_MISSING') throw error;
    }
    await this.assertPublished(piece);
  }

  private async link(piece: StagedPiece): Promise<void> {
    const { aside, target } = piece;
    if ((await this.storage.link(aside, target)) === 'taken') await this.assertPublished(piece);
    await this.storage.syncFolder(dirname(target));
  }

  private async copy(
    { aside, target, bytes }: StagedPiece,
    atByte: number,
    moment: 'running' | 'restart',
  ): Promise<void> {
    const { storage, durableNames } = this;
    const size = (await storage.size(target)) ?? 0;
    if (size < atByte) throw sizeChanged(target, `at least ${atByte}`, size);
    const file = await storage.open(target);
    try {
      for (let done = 0; done < bytes; ) {
        const rows = await readBlock(storage, aside, done, bytes - done);
        const at = atByte + done;
        if (moment === 'running' && at < size) await this.assertSame(target, at, rows);
        await file.write(rows, at);
        done += rows.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (durableNames.has(target)) return;
    await storage.syncFolder(dirname(target));
    durableNames.add(target);
  }

  private async assertSame(target: string, atByte: number, rows: Uint8Array): Promise<void> {
    const there = await this.storage.read(target, atByte, rows.length);
    if (Buffer.compare(there, rows.subarray(0, there.length)) === 0) return;
    const detail = `somebody else has written to ${target} from byte ${atByte} on`;
    throw new MillraceError('ERR_SINK_CHANGED', detail);
  }

  private async assertPublished(piece: StagedPiece): Promise<void> {
    const { aside, target, atByte, bytes } = piece;
    const size = await this.storage.size(target);
    const fits = atByte !== null || size === bytes;
    if (fits && (await holds(this.storage, target, atByte ?? 0, piece))) return;
    const where = atByte === null ? '' : ` from byte ${atByte} on`;
    const found = size === undefined ? 'there is no such file' : `it has ${size} bytes`;
    const detail =
      `${target} lacks ${bytes} bytes that were prepared${where}: ${found}, ` +
      `and ${aside}, where they lay, is gone or damaged`;
    throw new MillraceError('ERR_SINK_CHANGED', detail);
  }
}

/** An error about the size of a file that only its sink should write to. */
export function sizeChanged(
  path: string,
  expected: string,
  found: number,
  remedy = '',
): MillraceError {
  const detail = `${path} should have ${expected} bytes, but has ${found}${remedy}`;
  return new MillraceError('ERR_SINK_CHANGED', detail);
}

async function holds(
  storage: Storage,
  path: string,
  fromByte: number,
  { bytes, crc32: expected }: Pick<StagedPiece, 'bytes' | 'crc32'>,
): Promise<boolean> {
  const size = await storage.size(path);
  if (size === undefined || size < fromByte + bytes) return false;
  let crc = 0;
  for (let done = 0; done < bytes; ) {
    const block = await readBlock(storage, path, fromByte + done, bytes - done);
    crc = crc32(block, crc);
    done += block.length;
  }
  return crc === expected;
}

async function readBlock(
  storage: Storage,
  path: string,
  fromByte: number,
  bytes: number,
): Promise<Uint8Array> {
  const length = Math.min(bytes, connectorLimits.publishBlockBytes);
  const block = await storage.read(path, fromByte, length);
  if (block.length > 0) return block;
  throw new MillraceError('ERR_SINK_CHANGED', `${path} became shorter while it was read`);
}
