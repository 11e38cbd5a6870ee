import { SimulatedDisk } from '@millrace/testing';

/** All files of a disk by path. Contents are never changed, only replaced. */
export type Image = ReadonlyMap<string, Uint8Array>;

export async function imageOf(disk: SimulatedDisk, folder = ''): Promise<Image> {
  const files = new Map<string, Uint8Array>();
  for (const name of await disk.list(folder)) {
    const path = `${folder}/${name}`;
    if ((await disk.size(path)) !== undefined) files.set(path, await disk.read(path));
    else for (const [inner, bytes] of await imageOf(disk, path)) files.set(inner, bytes);
  }
  return files;
}

/** A disk with these files, which outlive a power cut. */
export async function diskOf(image: Image): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const folders = new Set([...image.keys()].map((path) => path.slice(0, path.lastIndexOf('/'))));
  for (const folder of folders) await disk.makeFolder(folder);
  for (const [path, bytes] of image) {
    const file = await disk.create(path);
    await file.write(bytes, 0);
    await file.close();
  }
  return disk;
}

/** The same image with files replaced, or without those that are undefined. */
export function withFiles(
  image: Image,
  changes: Iterable<readonly [path: string, bytes: Uint8Array | undefined]>,
): Image {
  const files = new Map(image);
  for (const [path, bytes] of changes) {
    if (bytes === undefined) files.delete(path);
    else files.set(path, bytes);
  }
  return files;
}

/** Paths that begin so, in order. */
export function pathsIn(image: Image, start: string): readonly string[] {
  return [...image.keys()].filter((path) => path.startsWith(start)).sort();
}
