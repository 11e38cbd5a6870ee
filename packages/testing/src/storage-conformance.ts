import assert from 'node:assert/strict';
import type { Storage } from '@millrace/core/spi';
import { type ConformanceCase, casesOf, countOf } from './conformance-case.js';

/** A storage to be tested, and an empty folder of it. */
export interface StorageUnderTest {
  readonly storage: Storage;
  readonly folder: string;
}

/**
 * The contract of `Storage` as cases, but for power cuts, which only a simulated disk has.
 *
 * @param create called for each case
 * @example
 * for (const { name, run } of storageConformance('my storage', create)) test(name, run);
 */
export function storageConformance(
  name: string,
  create: () => Promise<StorageUnderTest>,
): readonly ConformanceCase[] {
  return [
    ...casesOf(name, create, contentCases),
    ...casesOf(name, create, nameCases),
    ...casesOf(name, create, errorCases),
  ];
}

type Case = (subject: StorageUnderTest) => Promise<void>;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function put({ storage, folder }: StorageUnderTest, name: string, text: string) {
  const path = `${folder}/${name}`;
  const file = await storage.create(path);
  await file.write(bytesOf(text), 0);
  await file.close();
  return path;
}

const contentCases: Readonly<Record<string, Case>> = {
  'what is written is read at once, also before a sync': async ({ storage, folder }) => {
    const file = await storage.create(`${folder}/a`);
    await file.write(bytesOf('hello'), 0);
    assert.equal(textOf(await storage.read(`${folder}/a`)), 'hello');
    await file.sync();
    await file.close();
    assert.equal(textOf(await storage.read(`${folder}/a`)), 'hello');
  },
  'writes are positional, and a repeated one does no harm': async ({ storage, folder }) => {
    const file = await storage.create(`${folder}/a`);
    await file.write(bytesOf('abcdef'), 0);
    await file.write(bytesOf('XY'), 2);
    await file.write(bytesOf('XY'), 2);
    await file.close();
    assert.equal(textOf(await storage.read(`${folder}/a`)), 'abXYef');
  },
  'a writer may use its bytes again': async ({ storage, folder }) => {
    const bytes = bytesOf('one');
    const file = await storage.create(`${folder}/a`);
    await file.write(bytes, 0);
    bytes.fill(0);
    await file.close();
    assert.equal(textOf(await storage.read(`${folder}/a`)), 'one');
  },
  'a gap reads as zeros': async ({ storage, folder }) => {
    const file = await storage.create(`${folder}/a`);
    await file.write(bytesOf('z'), 3);
    await file.close();
    assert.deepEqual([...(await storage.read(`${folder}/a`))], [0, 0, 0, 122]);
  },
  'a read gives the part that is there': async (subject) => {
    const path = await put(subject, 'a', 'abcdef');
    const read = async (from: number, length?: number) =>
      textOf(await subject.storage.read(path, from, length));
    assert.equal(await read(2), 'cdef');
    assert.equal(await read(2, 3), 'cde');
    assert.equal(await read(4, 10), 'ef');
    assert.equal(await read(9, 10), '');
    // Memory for the answer is no part of it, whether it is used or too small.
    for (const bytes of [3, 100]) {
      const into = new Uint8Array(bytes).fill(120);
      assert.equal(textOf(await subject.storage.read(path, 1, 4, into)), 'bcde');
      assert.equal(textOf(await subject.storage.read(path, 4, 10, into)), 'ef');
      assert.equal(textOf(await subject.storage.read(path, 0, undefined, into)), 'abcdef');
    }
  },
  'create empties a file, open keeps it': async (subject) => {
    const path = await put(subject, 'a', 'abcdef');
    const again = await subject.storage.open(path);
    await again.write(bytesOf('XY'), 4);
    await again.close();
    assert.equal(textOf(await subject.storage.read(path)), 'abcdXY');
    await (await subject.storage.create(path)).close();
    assert.equal(await subject.storage.size(path), 0);
  },
  'open makes a file that is not there': async ({ storage, folder }) => {
    await (await storage.open(`${folder}/new`)).close();
    assert.equal(await storage.size(`${folder}/new`), 0);
  },
  'a file stays open over a rename': async ({ storage, folder }) => {
    const file = await storage.create(`${folder}/a`);
    await storage.rename(`${folder}/a`, `${folder}/b`);
    await file.write(bytesOf('late'), 0);
    await file.close();
    assert.equal(textOf(await storage.read(`${folder}/b`)), 'late');
  },
};

const nameCases: Readonly<Record<string, Case>> = {
  'names are listed in order, folders too': async (subject) => {
    await put(subject, 'b', '');
    await put(subject, 'a', '');
    await put(subject, 'B', '');
    await subject.storage.makeFolder(`${subject.folder}/c`);
    assert.deepEqual(await subject.storage.list(subject.folder), ['B', 'a', 'b', 'c']);
  },
  'a folder that is not there has no names': async ({ storage, folder }) => {
    assert.deepEqual(await storage.list(`${folder}/none`), []);
  },
  'folders are made with their parents, and again': async ({ storage, folder }) => {
    await storage.makeFolder(`${folder}/x/y/z`);
    await storage.makeFolder(`${folder}/x/y/z`);
    assert.deepEqual(await storage.list(`${folder}/x/y`), ['z']);
    await storage.syncFolder(`${folder}/x/y`);
  },
  'files have a size, folders and what is not there have none': async (subject) => {
    const { storage, folder } = subject;
    assert.equal(await storage.size(await put(subject, 'a', 'abc')), 3);
    assert.equal(await storage.size(`${folder}/none`), undefined);
    assert.equal(await storage.size(folder), undefined);
  },
  'rename takes the place of a file': async (subject) => {
    const { storage, folder } = subject;
    await put(subject, 'a', 'new');
    await put(subject, 'b', 'old');
    await storage.rename(`${folder}/a`, `${folder}/b`);
    assert.deepEqual(await storage.list(folder), ['b']);
    assert.equal(textOf(await storage.read(`${folder}/b`)), 'new');
  },
  'link gives a second name, which outlives the first': async (subject) => {
    const { storage, folder } = subject;
    await put(subject, 'a', 'text');
    assert.equal(await storage.link(`${folder}/a`, `${folder}/b`), 'linked');
    await storage.remove(`${folder}/a`);
    assert.equal(textOf(await storage.read(`${folder}/b`)), 'text');
  },
  'link takes no name that another file has': async (subject) => {
    const { storage, folder } = subject;
    await put(subject, 'a', 'mine');
    await put(subject, 'b', 'theirs');
    assert.equal(await storage.link(`${folder}/a`, `${folder}/b`), 'taken');
    assert.equal(textOf(await storage.read(`${folder}/b`)), 'theirs');
  },
  'link says again that the name is its own': async (subject) => {
    const { storage, folder } = subject;
    await put(subject, 'a', 'mine');
    await storage.link(`${folder}/a`, `${folder}/b`);
    assert.equal(await storage.link(`${folder}/a`, `${folder}/b`), 'linked');
  },
  'of many that link one name, one gets it': async (subject) => {
    const { storage, folder } = subject;
    const names = Array.from({ length: 20 }, (_, index) => `from${index}`);
    for (const name of names) await put(subject, name, name);
    const answers = await Promise.all(
      names.map((name) => storage.link(`${folder}/${name}`, `${folder}/prize`)),
    );
    assert.equal(
      countOf(answers, (answer) => answer === 'linked'),
      1,
    );
    const winner = names[answers.indexOf('linked')];
    assert.equal(textOf(await storage.read(`${folder}/prize`)), winner);
  },
  'remove is content with nothing': async (subject) => {
    const path = await put(subject, 'a', 'text');
    await subject.storage.remove(path);
    await subject.storage.remove(path);
    assert.equal(await subject.storage.size(path), undefined);
  },
};

const missing = { code: 'ERR_STORAGE_MISSING' } as const;

const errorCases: Readonly<Record<string, Case>> = {
  'what is not there is ERR_STORAGE_MISSING, with its path': async ({ storage, folder }) => {
    const none = `${folder}/none`;
    await assert.rejects(storage.read(none), { ...missing, detail: /none/ });
    await assert.rejects(storage.rename(none, `${folder}/b`), missing);
    await assert.rejects(storage.link(none, `${folder}/b`), missing);
    await assert.rejects(storage.create(`${none}/a`), missing);
    await assert.rejects(storage.syncFolder(none), missing);
  },
  'a closed file takes nothing': async ({ storage, folder }) => {
    const file = await storage.create(`${folder}/a`);
    await file.close();
    await assert.rejects(file.write(bytesOf('x'), 0), { code: 'ERR_STORAGE_FAILED' });
  },
  'a folder is no file': async ({ storage, folder }) => {
    await storage.makeFolder(`${folder}/x`);
    await assert.rejects(storage.create(`${folder}/x`), { code: 'ERR_STORAGE_FAILED' });
    await assert.rejects(storage.read(`${folder}/x`), { code: 'ERR_STORAGE_FAILED' });
  },
};
