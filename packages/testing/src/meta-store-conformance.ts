import assert from 'node:assert/strict';
import type { MetaStore } from '@millrace/core/spi';
import { type ConformanceCase, casesOf, countOf } from './conformance-case.js';

/** Opens one more view of the same records, as another process has it. */
export type OpenMetaStore = () => MetaStore;

/**
 * The contract of `MetaStore` as cases.
 *
 * @param create called for each case; no record must be there
 */
export function metaStoreConformance(
  name: string,
  create: () => Promise<OpenMetaStore>,
): readonly ConformanceCase[] {
  return casesOf(name, create, cases);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textOf(store: MetaStore, name: string): Promise<string | undefined> {
  const record = await store.read(name);
  return record === undefined
    ? undefined
    : `${record.revision} ${new TextDecoder().decode(record.value)}`;
}

async function commit(store: MetaStore, name: string, times: number): Promise<void> {
  for (let done = 0; done < times; done++) {
    const revision = (await store.read(name))?.revision ?? 0;
    const answer = await store.compareAndSet(name, revision, bytesOf(`value ${revision + 1}`));
    assert.deepEqual(answer, { ok: true, revision: revision + 1 });
  }
}

const cases: Readonly<Record<string, (open: OpenMetaStore) => Promise<void>>> = {
  'a record that was never written is undefined': async (open) => {
    assert.equal(await open().read('commit'), undefined);
  },
  'a record is made, read and changed, also by others': async (open) => {
    const [one, other] = [open(), open()];
    const made = await one.compareAndSet('commit', 0, bytesOf('a'));
    assert.deepEqual(made, { ok: true, revision: 1 });
    assert.equal(await textOf(other, 'commit'), '1 a');
    const changed = await other.compareAndSet('commit', 1, bytesOf('b'));
    assert.deepEqual(changed, { ok: true, revision: 2 });
    assert.equal(await textOf(one, 'commit'), '2 b');
  },
  'an expectation that is old, or of the future, changes nothing': async (open) => {
    const store = open();
    await commit(store, 'commit', 3);
    for (const expected of [0, 1, 2, 4, 9]) {
      const answer = await store.compareAndSet('commit', expected, bytesOf('x'));
      assert.deepEqual(answer, { ok: false }, `expected ${expected}`);
    }
    assert.equal(await textOf(store, 'commit'), '3 value 3');
  },
  'old expectations fail for ever': async (open) => {
    const store = open();
    await commit(store, 'commit', 40);
    for (let expected = 0; expected < 40; expected++) {
      const answer = await store.compareAndSet('commit', expected, bytesOf('x'));
      assert.deepEqual(answer, { ok: false }, `expected ${expected}`);
    }
    assert.equal(await textOf(open(), 'commit'), '40 value 40');
  },
  'records have nothing to do with one another': async (open) => {
    const store = open();
    await commit(store, 'commit', 2);
    await commit(store, 'commit.2', 1);
    assert.equal(await textOf(store, 'commit'), '2 value 2');
    assert.equal(await textOf(store, 'commit.2'), '1 value 1');
  },
  'a value may be empty, or any bytes': async (open) => {
    const store = open();
    await store.compareAndSet('commit', 0, new Uint8Array(0));
    assert.equal((await store.read('commit'))?.value.length, 0);
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    await store.compareAndSet('commit', 1, all);
    assert.deepEqual(Buffer.from((await store.read('commit'))!.value), Buffer.from(all));
  },
  'of many writers that expect one revision, one wins': async (open) => {
    const stores = Array.from({ length: 8 }, open);
    for (let revision = 0; revision < 25; revision++) {
      const answers = await Promise.all(
        stores.map((store, index) =>
          store.compareAndSet('commit', revision, bytesOf(`writer ${index}`)),
        ),
      );
      assert.equal(
        countOf(answers, ({ ok }) => ok),
        1,
        `revision ${revision + 1}`,
      );
      const winner = answers.findIndex(({ ok }) => ok);
      assert.equal(await textOf(open(), 'commit'), `${revision + 1} writer ${winner}`);
    }
  },
  'writers that each go at their own pace share out the revisions': async (open) => {
    const won = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 6 }, async (_, writer) => {
        const store = open();
        for (let tries = 0; tries < 20; tries++) {
          const revision = (await store.read('commit'))?.revision ?? 0;
          const answer = await store.compareAndSet('commit', revision, bytesOf(`${writer}`));
          if (!answer.ok) continue;
          assert.equal(won.has(answer.revision), false, `revision ${answer.revision} won twice`);
          won.set(answer.revision, writer);
        }
      }),
    );
    const last = (await open().read('commit'))!;
    assert.deepEqual(
      [...won.keys()].sort((a, b) => a - b),
      Array.from({ length: last.revision }, (_, index) => index + 1),
    );
    assert.equal(new TextDecoder().decode(last.value), `${won.get(last.revision)}`);
  },
};
