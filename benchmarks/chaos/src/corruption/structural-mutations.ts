import type { Random } from '../random.js';
import { editManifest } from './edit-manifest.js';
import { type Image, pathsIn, withFiles } from './image.js';
import type { Mutation } from './mutation.js';
import type { Victim } from './victim.js';

/** Makes a damaged image and says what it did; undefined where there is nothing to damage so. */
type Change = (
  victim: Victim,
  random: Random,
) => Pick<Mutation, 'what' | 'image' | 'folder'> | undefined;

/** Files of the same kind lie in one folder, but for a savepoint's manifest. */
const kindOf = (path: string): string =>
  path.endsWith('.json') ? 'manifest' : path.slice(0, path.lastIndexOf('/'));

const changes: Readonly<Record<string, Change>> = {
  'file missing': ({ image, folder }, random) => {
    const path = pick(pathsIn(image, folder), random);
    return { what: path, image: withFiles(image, [[path, undefined]]) };
  },
  'file missing of those read': ({ image, filesRead }, random) => {
    const path = pick(filesRead, random);
    return { what: path, image: withFiles(image, [[path, undefined]]) };
  },
  'file emptied': ({ image, filesRead }, random) => {
    const path = pick(filesRead, random);
    return { what: path, image: withFiles(image, [[path, new Uint8Array()]]) };
  },
  'two files swapped': ({ image, folder }, random) => {
    const [one, other] = pair(image, folder, random) ?? [];
    if (one === undefined || other === undefined) return undefined;
    return { what: `${one}, ${other}`, image: swapped(image, one, other) };
  },
  'file replaced by another': ({ image, folder }, random) => {
    const [one, other] = pair(image, folder, random) ?? [];
    if (one === undefined || other === undefined) return undefined;
    return { what: `${one} by ${other}`, image: withFiles(image, [[one, image.get(other)!]]) };
  },
  'newest replaced by an older one': ({ image, folder }, random) => {
    const places = [`${folder}/manifests/`, `${folder}/commits/`];
    const paths = pathsIn(image, pick(places, random));
    const newest = paths.at(-1);
    if (newest === undefined) return undefined;
    const older = pick(paths.slice(0, -1), random);
    return {
      what: `${newest} by ${older}`,
      image: withFiles(image, [[newest, image.get(older)!]]),
    };
  },
  'commits rolled back': ({ image, folder }, random) => {
    const paths = pathsIn(image, `${folder}/commits/`);
    if (paths.length === 0) return undefined;
    const gone = paths.slice(-random.whole(1, paths.length));
    const removed = gone.map((path) => [path, undefined] as const);
    return { what: `${gone.length} newest revisions`, image: withFiles(image, removed) };
  },
  'commit record and marks gone': ({ image, folder }) => {
    const gone = ['commits', 'committed'].flatMap((name) => pathsIn(image, `${folder}/${name}/`));
    if (gone.length === 0) return undefined;
    return {
      what: 'all',
      image: withFiles(
        image,
        gone.map((path) => [path, undefined] as const),
      ),
    };
  },
  'revision that nobody wrote': ({ image, folder }, random) => {
    const newest = pathsIn(image, `${folder}/commits/`).at(-1);
    if (newest === undefined) return undefined;
    const ahead = random.whole(1, 40);
    const path = newest.replace(/\d{13}/, (number) =>
      String(Number(number) + ahead).padStart(13, '0'),
    );
    return {
      what: `${path} like ${newest}`,
      image: withFiles(image, [[path, image.get(newest)!]]),
    };
  },
  'manifest edited': ({ image, folder }, random) => {
    const path = pick(pathsIn(image, folder).filter(isManifest), random);
    const edit = editManifest(image.get(path)!, random);
    return { what: `${path}: ${edit.what}`, image: withFiles(image, [[path, edit.bytes]]) };
  },
  'newest manifest edited': ({ image, filesRead }, random) => {
    const path = filesRead.find(isManifest)!;
    const edit = editManifest(image.get(path)!, random);
    return { what: `${path}: ${edit.what}`, image: withFiles(image, [[path, edit.bytes]]) };
  },
  "another run's file": ({ image, otherRun, filesRead }, random) => {
    const path = pick(filesRead, random);
    const others = [...otherRun.keys()].filter((other) => kindOf(other) === kindOf(path));
    const other = pick(others.sort(), random);
    return { what: `${path} by ${other}`, image: withFiles(image, [[path, otherRun.get(other)!]]) };
  },
  "another job's folder": ({ image, otherJob, folder }) => {
    const own = pathsIn(image, folder).map((path) => [path, undefined] as const);
    const others = pathsIn(otherJob, folder).map((path) => [path, otherJob.get(path)] as const);
    return { what: folder, image: withFiles(withFiles(image, own), others), folder: 'whole' };
  },
  'foreign file': ({ image, folder }, random) => {
    const homes = new Set(pathsIn(image, folder).map((path) => path.replace(/[^/]*$/, '')));
    const name = pick(['notes.txt', '.DS_Store', '0000000000099', 'x.rec', '.aside-1'], random);
    const path = pick([...homes].sort(), random) + name;
    return { what: path, image: withFiles(image, [[path, new TextEncoder().encode('hello')]]) };
  },
};

/** Damages a folder as a whole: files that are missing, exchanged, edited, or of somewhere else. */
export function mutateStructure(victim: Victim, random: Random): Mutation {
  const kinds = Object.keys(changes);
  for (;;) {
    const kind = pick(kinds, random);
    const change = changes[kind]!(victim, random);
    if (change !== undefined) return { ...change, kind, what: `${kind}: ${change.what}` };
  }
}

const isManifest = (path: string): boolean => kindOf(path) === 'manifest';

function pick<T>(from: readonly T[], random: Random): T {
  return from[random.whole(0, from.length - 1)]!;
}

/** Two files of one kind. */
function pair(image: Image, folder: string, random: Random): readonly [string, string] | undefined {
  const one = pick(pathsIn(image, folder), random);
  const others = pathsIn(image, folder).filter(
    (path) => path !== one && kindOf(path) === kindOf(one),
  );
  return others.length === 0 ? undefined : [one, pick(others, random)];
}

function swapped(image: Image, one: string, other: string): Image {
  return withFiles(image, [
    [one, image.get(other)],
    [other, image.get(one)],
  ]);
}
