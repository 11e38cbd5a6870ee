import type { Random } from '../random.js';
import { mutateBytes } from './byte-mutations.js';
import type { Image } from './image.js';
import { mutateStructure } from './structural-mutations.js';
import type { Victim } from './victim.js';

/** A damaged disk, and what was done to it. */
export interface Mutation {
  /** For the counts. */
  readonly kind: string;
  readonly what: string;
  readonly image: Image;
  /** `whole`: in itself the folder is as good as another one. Default: damaged. */
  readonly folder?: 'whole' | undefined;
}

/** So many damaged bytes, one after another, for each damage of another kind. */
const bytesPerStructure = 4;

/** How many there are with so many damaged bytes. */
export function mutationsWith(byteMutations: number): number {
  return byteMutations + Math.floor(byteMutations / bytesPerStructure);
}

/** The damage of a number, from 0. */
export function mutate(victim: Victim, number: number, random: Random): Mutation {
  return number % (bytesPerStructure + 1) === bytesPerStructure
    ? mutateStructure(victim, random)
    : mutateBytes(victim, random);
}
