import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What a job and its streams keep on disk. */
export interface ImagePlaces {
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  /** Where the server keeps its streams. */
  readonly store: string;
}

export const imageParts = ['checkpoints', 'input', 'output'] as const;

/** A part of an image: the folder of checkpoints, or the store of a stream. */
export type ImagePart = (typeof imageParts)[number];

/** Path of a part in its place. */
export function placeOf(part: ImagePart, { checkpoints, store }: ImagePlaces): string {
  if (part === 'checkpoints') return checkpoints;
  return join(store, 'jetstream', '$G', 'streams', part === 'input' ? 'IN' : 'OUT');
}

/** Copies of all parts at one moment, taken while job and server were down. */
export class JobImage {
  private readonly folder: string;
  private readonly places: ImagePlaces;

  private constructor(folder: string, places: ImagePlaces) {
    this.folder = folder;
    this.places = places;
  }

  static take(folder: string, places: ImagePlaces): JobImage {
    const image = new JobImage(folder, places);
    for (const part of imageParts) {
      cpSync(placeOf(part, places), image.pathOf(part), { recursive: true });
    }
    return image;
  }

  /** Path of a part's copy. */
  pathOf(part: ImagePart): string {
    return join(this.folder, part);
  }

  /** Puts parts back as they were; all unless named. */
  restore(parts: readonly ImagePart[] = imageParts): void {
    for (const part of parts) {
      const place = placeOf(part, this.places);
      rmSync(place, { recursive: true, force: true });
      cpSync(this.pathOf(part), place, { recursive: true });
    }
  }
}
