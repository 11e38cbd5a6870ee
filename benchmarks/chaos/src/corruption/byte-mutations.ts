import type { Random } from '../random.js';
import { withFiles } from './image.js';
import type { Mutation } from './mutation.js';
import type { Victim } from './victim.js';

type Change = (bytes: Uint8Array, at: number, random: Random) => Uint8Array;

const runBytesMax = 64;
const extensionBytesMax = 32;

const changes: Readonly<Record<string, Change>> = {
  'flipped bit': (bytes, at, random) => {
    const changed = bytes.slice();
    changed[at]! ^= 1 << random.whole(0, 7);
    return changed;
  },
  'other byte': (bytes, at, random) => {
    const changed = bytes.slice();
    changed[at] = changed[at]! + random.whole(1, 255);
    return changed;
  },
  'zeroed run': (bytes, at, random) => {
    const changed = bytes.slice();
    return changed.fill(0, at, at + random.whole(1, runBytesMax));
  },
  truncated: (bytes, at) => bytes.slice(0, at),
  extended: (bytes, _at, random) => {
    const more = Array.from({ length: random.whole(1, extensionBytesMax) }, () =>
      random.whole(0, 255),
    );
    return Buffer.concat([bytes, Uint8Array.from(more)]);
  },
  'byte put in': (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), Uint8Array.of(random.whole(0, 255)), bytes.subarray(at)]),
  'byte taken out': (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
};

/** Damages a byte, or from one on; each byte that a restore reads is as likely as any other. */
export function mutateBytes({ image, filesRead }: Victim, random: Random): Mutation {
  const sizes = filesRead.map((path) => image.get(path)!.length);
  let at = random.whole(0, sizes.reduce((sum, size) => sum + size, 0) - 1);
  let file = 0;
  while (at >= sizes[file]!) {
    at -= sizes[file]!;
    file += 1;
  }
  const kinds = Object.keys(changes);
  const kind = kinds[random.whole(0, kinds.length - 1)]!;
  const path = filesRead[file]!;
  const bytes = image.get(path)!;
  const changed = changes[kind]!(bytes, at, random);
  return {
    kind,
    what: `${kind} at byte ${at} of ${path} (${bytes.length} bytes)`,
    image: withFiles(image, [[path, changed]]),
  };
}
