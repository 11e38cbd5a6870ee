import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../random.js';
import {
  type ImagePart,
  type ImagePlaces,
  imageParts,
  type JobImage,
  placeOf,
} from './job-image.js';

/** What is damaged while job and server are down. */
interface DamageSite {
  readonly places: ImagePlaces;
  /** How all was some checkpoints ago. */
  readonly older: JobImage;
  readonly random: Random;
}

/** A way in which a stream or the metadata may go back in time, or be damaged. */
export interface Damage {
  readonly name: string;
  /** Codes of which one must refuse it; `goes on`: the job must go on as if nothing had happened. */
  readonly allowed: readonly string[];
  /** Whether the job may make the output stream. */
  readonly createsOutput?: true;
  /** @returns what was done, where it is not always the same */
  readonly inflict: (site: DamageSite) => string | undefined;
}

const goesOn = 'goes on';
/** The server may lose messages by it, or answer that it cannot read: any typed refusal will do. */
const typed = ['ERR_SINK_CHANGED', 'ERR_SINK_FENCED', 'ERR_NATS_STREAM_UNFIT', 'ERR_SINK_FAILED'];

const older =
  (parts: readonly ImagePart[]) =>
  ({ older: image }: DamageSite): undefined => {
    image.restore(parts);
  };

const deleted = ({ places }: DamageSite): undefined => {
  rmSync(placeOf('output', places), { recursive: true });
};

export const damages: readonly Damage[] = [
  { name: 'nothing', allowed: [goesOn], inflict: () => undefined },
  { name: 'older output stream', allowed: ['ERR_SINK_CHANGED'], inflict: older(['output']) },
  { name: 'deleted output stream', allowed: ['ERR_NATS_STREAM_UNFIT'], inflict: deleted },
  {
    name: 'deleted output stream, made anew by the job',
    allowed: ['ERR_SINK_CHANGED'],
    createsOutput: true,
    inflict: deleted,
  },
  {
    name: 'bit flip in a block of the output',
    allowed: [goesOn, ...typed],
    inflict: (site) => flipBit(site, /\.blk$/),
  },
  {
    name: 'bit flip in the index of the output',
    allowed: [goesOn, ...typed],
    inflict: (site) => flipBit(site, /^index\.db$/),
  },
  {
    name: 'older checkpoint folder',
    allowed: ['ERR_METADATA_ROLLBACK'],
    inflict: older(['checkpoints']),
  },
  {
    name: 'older commit files and marks',
    // What they name may have been deleted since.
    allowed: ['ERR_METADATA_ROLLBACK', 'ERR_CHECKPOINT_CORRUPT'],
    inflict: olderCommits,
  },
  { name: 'older input stream', allowed: ['ERR_SOURCE_CHANGED'], inflict: older(['input']) },
  { name: 'all of it older, together', allowed: [goesOn], inflict: older(imageParts) },
];

function olderCommits({ places, older: image }: DamageSite): undefined {
  for (const name of ['commits', 'committed']) {
    const place = join(places.checkpoints, name);
    rmSync(place, { recursive: true });
    cpSync(join(image.pathOf('checkpoints'), name), place, { recursive: true });
  }
}

function flipBit({ places, random }: DamageSite, files: RegExp): string | undefined {
  const folder = join(placeOf('output', places), 'msgs');
  const names = readdirSync(folder).filter((name) => files.test(name));
  if (names.length === 0) return 'there is no such file';
  const name = names[random.whole(0, names.length - 1)]!;
  const bytes = readFileSync(join(folder, name));
  const at = random.whole(0, bytes.length - 1);
  bytes[at] = bytes[at]! ^ (1 << random.whole(0, 7));
  writeFileSync(join(folder, name), bytes);
  return `${name}, byte ${at} of ${bytes.length}`;
}
