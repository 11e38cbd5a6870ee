import { MillraceError } from '@millrace/core';
import { recordCodecVersion } from '@millrace/core/internal';
import type { BlockKind } from './block.js';

/*
 * A segment file, version 1. Numbers are little-endian.
 *
 *   header   magic (8), format version (u16), codec version (u16), crc32 of these 12 bytes (u32)
 *   blocks   each: length of the body (u32), crc32 of the body (u32), body
 *   footer   layouts, namespaces, and an entry for each block: see segment-footer.ts
 *   trailer  footer's offset (u64), its length (u32), its crc32 (u32), magic (8)
 *
 * Every byte is covered: header, bodies and footer by their checksums; lengths and checksums of
 * blocks are repeated in the footer; footer and trailer must reach exactly to the file's end.
 *
 * Every column of a body begins with its form, and no form is FF, which must not follow the
 * canonical bytes of a key.
 */

/** Version of the layout of bytes described here. */
export const segmentFormatVersion = 1;

/** Kinds by their number in the file; frozen. */
export const blockKinds: readonly BlockKind[] = ['rows', 'removals', 'keyRemovals', 'drop'];

export const headerBytes = 16;
export const frameBytes = 8;
export const trailerBytes = 24;

export const headMagic: Uint8Array = Uint8Array.from('MLRSEG\r\n', (c) => c.charCodeAt(0));
export const tailMagic: Uint8Array = Uint8Array.from('\r\nMLREND', (c) => c.charCodeAt(0));

/** Version of the encoding of values in blobs; they are opaque here. */
export const segmentCodecVersion: number = recordCodecVersion;

/** Reads a part of a segment; fewer bytes come back only where the file ends before. */
export type ReadBytes = (fromByte: number, length: number) => Promise<Uint8Array>;

/** What a damaged segment is refused with. */
export function corruptSegment(where: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError('ERR_CHECKPOINT_CORRUPT', `segment: ${where}: ${reason}`, { cause });
}

/** Decodes, and turns whatever goes wrong with damaged bytes into one error that says where. */
export function decoding<T>(where: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    const reason = error instanceof MillraceError ? error.detail : String(error);
    throw corruptSegment(where, reason, error);
  }
}
