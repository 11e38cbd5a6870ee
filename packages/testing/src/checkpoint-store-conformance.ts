import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { CheckpointStore } from '@millrace/core/spi';
import { type ConformanceCase, casesOf } from './conformance-case.js';

/**
 * The contract of `CheckpointStore` as cases.
 *
 * @param create called for each case; gives empty stores, of which one adopts from the other
 */
export function checkpointStoreConformance(
  name: string,
  create: () => Promise<{ readonly store: CheckpointStore; readonly other: CheckpointStore }>,
): readonly ConformanceCase[] {
  return casesOf(name, create, cases);
}

interface Subject {
  readonly store: CheckpointStore;
  readonly other: CheckpointStore;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function put(store: CheckpointStore, name: string, text: string) {
  const writer = await store.create(name);
  for (const character of text) await writer.write(bytesOf(character));
  return writer.complete();
}

const cases: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  'a blob is what was written, with its size and checksum': async ({ store }) => {
    const info = await put(store, 'segments/1-a', 'some text');
    assert.deepEqual(info, { name: 'segments/1-a', bytes: 9, sha256: sha256('some text') });
    assert.equal(textOf(await store.read('segments/1-a')), 'some text');
    assert.equal(textOf(await store.read('segments/1-a', 5, 2)), 'te');
    assert.equal(await store.size('segments/1-a'), 9);
  },
  'a blob may be empty': async ({ store }) => {
    assert.equal((await put(store, 'segments/empty', '')).bytes, 0);
    assert.equal(await store.size('segments/empty'), 0);
    assert.deepEqual(await store.list(''), ['segments/empty']);
  },
  'nobody sees a blob before it is complete': async ({ store }) => {
    const writer = await store.create('segments/a');
    await writer.write(bytesOf('half'));
    assert.equal(await store.size('segments/a'), undefined);
    assert.deepEqual(await store.list(''), []);
    await writer.abort();
    assert.deepEqual(await store.list(''), []);
  },
  'abort after complete keeps the blob': async ({ store }) => {
    const writer = await store.create('segments/a');
    await writer.complete();
    await writer.abort();
    assert.equal(await store.size('segments/a'), 0);
  },
  'blobs are listed by prefix, in order': async ({ store }) => {
    for (const name of ['m/2', 's/b/deep', 'm/10', 's/a', 'm/1']) await put(store, name, '');
    assert.deepEqual(await store.list('m/1'), ['m/1', 'm/10']);
    assert.deepEqual(await store.list('s/'), ['s/a', 's/b/deep']);
    assert.deepEqual(await store.list('none/'), []);
  },
  'a removed blob is gone, and may be removed again': async ({ store }) => {
    await put(store, 'm/1', 'x');
    await store.remove('m/1');
    await store.remove('m/1');
    assert.equal(await store.size('m/1'), undefined);
    await assert.rejects(store.read('m/1'), { code: 'ERR_STORAGE_MISSING' });
  },
  'an adopted blob outlives the one it comes from': async ({ store, other }) => {
    for (const from of [store, other]) {
      await put(from, 'savepoints/s/a', 'state');
      await store.adopt(from, 'savepoints/s/a', 'segments/b');
      await store.adopt(from, 'savepoints/s/a', 'segments/b');
      await from.remove('savepoints/s/a');
      assert.equal(textOf(await store.read('segments/b')), 'state');
      await store.remove('segments/b');
    }
  },
  'what is not there cannot be adopted': async ({ store, other }) => {
    for (const from of [store, other]) {
      await assert.rejects(store.adopt(from, 'none', 'b'), { code: 'ERR_STORAGE_MISSING' });
    }
  },
};
