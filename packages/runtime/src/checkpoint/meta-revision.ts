import { MillraceError } from '@millrace/core';
import { sha256 } from '../host/digest.js';

/** One revision of a record, as it is in its file. */
export interface Revision {
  readonly revision: number;
  /** sha-256 of the file of the revision before; empty for the first. */
  readonly previous: string;
  readonly value: Uint8Array;
}

/** Readable in a terminal: a line with the checksum of the rest, a line of its own, the value. */
const magic = 'millrace-record-1';

export function encodeRevision({ revision, previous, value }: Revision): Uint8Array {
  const rest = joined(new TextEncoder().encode(`${revision} ${previous}\n`), value);
  return joined(new TextEncoder().encode(`${magic} ${sha256(rest)}\n`), rest);
}

/**
 * @param path for the error
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`
 */
export function decodeRevision(bytes: Uint8Array, revision: number, path: string): Revision {
  const [head, rest] = lineOf(bytes);
  const [line, value] = lineOf(rest);
  const [number, previous = ''] = line.split(' ');
  if (head !== `${magic} ${sha256(rest)}` || Number(number) !== revision) {
    throw new MillraceError(
      'ERR_CHECKPOINT_CORRUPT',
      `${path} is not what was written. It says which checkpoint counts, so no older one is ` +
        'taken in its place by itself: put the file back from a copy, or restore a savepoint of ' +
        '"millrace checkpoints list" with --from and --accept-replay into a new folder',
    );
  }
  return { revision, previous, value };
}

function lineOf(bytes: Uint8Array): readonly [line: string, rest: Uint8Array] {
  const end = bytes.indexOf(10);
  if (end < 0) return ['', bytes];
  return [new TextDecoder().decode(bytes.subarray(0, end)), bytes.subarray(end + 1)];
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
