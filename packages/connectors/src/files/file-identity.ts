import { crc32 } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';

/** What tells a file that was read up to a position from another one: JSON. */
export interface FileIdentity {
  /** Bytes of the file, packed if it is, when it was opened. */
  readonly size: number;
  /** How many of its first bytes are known, and their CRC-32. */
  readonly headBytes: number;
  readonly head: number;
  /** How many bytes before the position are known, and their CRC-32. */
  readonly tailBytes: number;
  readonly tail: number;
}

/** Where reading goes on in a file, and what that was until then. */
export interface FilePosition {
  /** Offset in the unpacked bytes. */
  readonly byte: number;
  readonly file?: FileIdentity | undefined;
}

/** What a file is when it is opened. */
export interface FoundFile {
  /** Bytes, packed if it is. */
  readonly size: number;
  /** The first bytes before the position, `identityBytes` if there are so many. */
  readonly head: Buffer;
  /** The last bytes before the position, `identityBytes` if there are so many. */
  readonly before: Buffer;
}

/** @param before the bytes before the position; `head` must not go beyond it */
export function identityOf({ size, head, before }: FoundFile): FileIdentity {
  return {
    size,
    headBytes: head.length,
    head: crc32(head),
    tailBytes: before.length,
    tail: crc32(before),
  };
}

/** How many bytes tell a file's beginning, and how many what comes before a position. */
export const knownBytes = (byte: number): number => Math.min(byte, connectorLimits.identityBytes);

/**
 * Refuses a file that has lost bytes since it was read. Growing is fine.
 *
 * @throws MillraceError ERR_SOURCE_CHANGED naming path and position
 */
export function assertNotShorter(path: string, { byte, file }: FilePosition, size: number): void {
  if (file !== undefined && size < file.size) {
    throw changed(path, byte, `was truncated: it has ${size} bytes and had ${file.size}`);
  }
}

/**
 * Refuses a file whose bytes before the position are not those that were read.
 *
 * @throws MillraceError ERR_SOURCE_CHANGED naming path and position
 */
export function assertSameBytes(
  path: string,
  { byte, file }: FilePosition,
  { head, before }: Pick<FoundFile, 'head' | 'before'>,
): void {
  if (before.length < knownBytes(byte)) throw truncatedBefore(path, byte);
  if (file === undefined) return;
  const { headBytes, tailBytes } = file;
  if (crc32(head.subarray(0, headBytes)) !== file.head) {
    throw changed(path, byte, `was replaced or rewritten: its first ${headBytes} bytes differ`);
  }
  if (crc32(before.subarray(before.length - tailBytes)) !== file.tail) {
    const what = `the ${tailBytes} bytes before that position differ`;
    throw changed(path, byte, `was replaced or rewritten: ${what}`);
  }
}

/** An error about a file that ends before the position. */
export const truncatedBefore = (path: string, byte: number): MillraceError =>
  changed(path, byte, 'was truncated');

/** An error about a file that was there when it was read up to the position. */
export const missingAt = (path: string, byte: number): MillraceError =>
  changed(path, byte, 'is not there any more');

function changed(path: string, byte: number, what: string): MillraceError {
  const detail = `${path} ${what}; reading was to go on at byte ${byte}`;
  return new MillraceError('ERR_SOURCE_CHANGED', detail);
}
