import type { Key } from '@millrace/core';
import { canonicalKey } from '@millrace/core/internal';
import type { KeyTable } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Content, type Delta, DeltaSink, Rig, type Row } from './level-rig.js';

type Step =
  | { readonly does: 'add' | 'remove' | 'find'; readonly namespace: number; readonly key: number }
  | { readonly does: 'drop'; readonly namespace: number }
  | { readonly does: 'freeze' | 'lose' | 'restart' | 'relieve' }
  /** Goes through all pages, looking up these keys in between. */
  | { readonly does: 'read'; readonly keys: readonly number[] }
  | { readonly does: 'prefetch'; readonly namespace: number; readonly keys: readonly number[] }
  | { readonly does: 'encode' | 'complete'; readonly count: number };

const does = <D extends Step['does']>(name: D) => fc.constant(name);
const namespace = fc.nat(1);
const key = fc.nat(10);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ does: does('add'), namespace, key }) },
  { weight: 6, arbitrary: fc.record({ does: does('remove'), namespace, key }) },
  { weight: 4, arbitrary: fc.record({ does: does('find'), namespace, key }) },
  { weight: 1, arbitrary: fc.record({ does: does('drop'), namespace }) },
  { weight: 8, arbitrary: fc.record({ does: does('relieve') }) },
  { weight: 8, arbitrary: fc.record({ does: does('freeze') }) },
  { weight: 2, arbitrary: fc.record({ does: does('lose') }) },
  { weight: 1, arbitrary: fc.record({ does: does('restart') }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: does('read'), keys: fc.array(key, { maxLength: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: does('prefetch'), namespace, keys: fc.array(key) }),
  },
  { weight: 8, arbitrary: fc.record({ does: does('encode'), count: fc.constantFrom(1, 3, 99) }) },
  { weight: 6, arbitrary: fc.record({ does: does('complete'), count: fc.constantFrom(1, 2, 9) }) },
);

const contentCopy = (content: Content): Content =>
  new Map(
    [...content].filter(([, rows]) => rows.size > 0).map(([id, rows]) => [id, new Map(rows)]),
  );

/** A backend beside a model of it. */
class History {
  private rig: Rig;
  private model: Content = new Map();
  private readonly make: () => Rig;
  private chain: readonly Delta[] = [];
  private atChain: Content = new Map();
  /** The chain ahead of the last snapshot, while that may still be lost. */
  private before: { readonly chain: readonly Delta[]; readonly at: Content } | undefined;
  private running: { readonly sink: DeltaSink; readonly at: Content } | undefined;
  /** Most rows that were outside at a time. */
  rowsOutsideMost = 0;

  constructor(make: () => Rig) {
    this.make = make;
    this.rig = make();
  }

  async do(next: Step): Promise<void> {
    const { rig } = this;
    switch (next.does) {
      case 'add':
        return this.add(next.namespace, rig.key(next.key));
      case 'find':
        return this.find(next.namespace, rig.key(next.key));
      case 'remove': {
        const table = rig.tables.open(next.namespace);
        const slot = table.find(rig.key(next.key));
        const id = canonicalKey(rig.key(next.key));
        expect(slot >= 0).toBe(this.model.get(next.namespace)?.delete(id) ?? false);
        if (slot >= 0) table.remove(slot);
        return;
      }
      case 'drop':
        rig.tables.drop(next.namespace);
        this.model.delete(next.namespace);
        return;
      case 'relieve':
        await rig.wait(rig.backend.relieve());
        this.rowsOutsideMost = Math.max(this.rowsOutsideMost, rig.backend.counts.rowsOutside);
        return;
      case 'complete':
        return rig.complete(next.count);
      case 'prefetch': {
        const keys = next.keys.map((index) => rig.key(index));
        await rig.wait(rig.tables.prefetch!(rig.tables.open(next.namespace), keys, 0, keys.length));
        const { syncReads } = rig.backend.counts;
        for (const each of keys) this.find(next.namespace, each);
        expect(rig.backend.counts.syncReads).toBe(syncReads);
        return;
      }
      case 'read':
        expect(await rig.content((table) => this.disturb(table, next.keys))).toEqual(
          contentCopy(this.model),
        );
        return;
      case 'freeze':
        return this.freeze();
      case 'encode':
        if (this.running === undefined) return;
        if (rig.backend.step(this.running.sink, next.count) === 'done') this.finish();
        return;
      case 'lose':
        return this.lose();
      case 'restart':
        return this.restart();
    }
  }

  /** All is as in the model, now and in what a restore gives. */
  async check(): Promise<void> {
    expect(await this.rig.content()).toEqual(contentCopy(this.model));
    this.complete();
    await this.restart();
    expect(await this.rig.content()).toEqual(contentCopy(this.model));
    await this.rig.wait(this.rig.backend.close());
  }

  private add(at: number, each: Key): void {
    this.rig.add(this.rig.tables.open(at), each);
    const rows = this.model.get(at) ?? new Map<unknown, Row>();
    const [n, ref] = rows.get(canonicalKey(each)) ?? [5, []];
    const { refStride } = this.rig.tables.open(at);
    const grown = refStride > 0 ? [...(ref as unknown[]), n + 1] : undefined;
    this.model.set(at, rows.set(canonicalKey(each), [n + 1, grown]));
  }

  private find(at: number, each: Key): void {
    const table = this.rig.tables.open(at);
    const slot = table.find(each);
    const row = this.rowOf(at, each);
    expect(slot >= 0).toBe(row !== undefined);
    if (slot >= 0) expect(table.numbers[slot * table.numberStride]).toBe(row![0]);
  }

  private rowOf(at: number, each: Key): Row | undefined {
    return this.model.get(at)?.get(canonicalKey(each));
  }

  /** What may happen between two pages. */
  private async disturb(table: KeyTable, keys: readonly number[]): Promise<void> {
    const { rig } = this;
    for (const index of keys) table.find(rig.key(index));
    await rig.wait(rig.backend.relieve());
    await rig.complete(1);
    await rig.wait(rig.backend.relieve());
  }

  private freeze(): void {
    this.complete();
    this.rig.backend.freeze('operator');
    this.before = undefined;
    this.running = { sink: new DeltaSink(), at: contentCopy(this.model) };
  }

  private complete(): void {
    while (this.running !== undefined) {
      if (this.rig.backend.step(this.running.sink, 7) === 'done') this.finish();
    }
  }

  private finish(): void {
    const { sink, at } = this.running!;
    this.running = undefined;
    this.before = { chain: this.chain, at: this.atChain };
    this.chain = [...this.chain, ...sink.delta()];
    this.atChain = at;
  }

  private lose(): void {
    if (this.running !== undefined) this.running = undefined;
    else if (this.before !== undefined) {
      this.chain = this.before.chain;
      this.atChain = this.before.at;
      this.before = undefined;
    } else return;
    this.rig.backend.abandon();
  }

  private async restart(): Promise<void> {
    this.running = undefined;
    this.before = undefined;
    this.rig = this.make();
    await this.rig.load(this.chain);
    this.model = contentCopy(this.atChain);
  }
}

const histories = fc.array(step, { maxLength: 120, size: 'max' });
/** Room for two or three rows. */
const tinyBytes = 200;

describe('rows in memory and outside', () => {
  for (const shape of ['typed', 'mixed'] as const) {
    test(`does what a map does, in any history, with ${shape} rows`, {
      timeout: 120_000,
    }, async () => {
      let outside = 0;
      await fc.assert(
        fc.asyncProperty(histories, fc.constantFrom(0, tinyBytes), async (steps, bytes) => {
          const history = new History(() => new Rig(shape, 'tracked', bytes));
          for (const each of steps) await history.do(each);
          await history.check();
          outside = Math.max(outside, history.rowsOutsideMost);
        }),
        { numRuns: 400 },
      );
      expect(outside).toBeGreaterThan(3);
    });
  }

  test('moves rows out as well where nobody takes snapshots', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const history = new History(() => new Rig('mixed', 'untracked', tinyBytes));
        const taken = ['freeze', 'encode', 'lose', 'restart'];
        for (const each of steps) if (!taken.includes(each.does)) await history.do(each);
        await history.do({ does: 'read', keys: [] });
      }),
      { numRuns: 200 },
    );
    const history = new History(() => new Rig('typed', 'untracked', tinyBytes));
    for (let i = 0; i < 60; i += 1) {
      await history.do({ does: 'add', namespace: 0, key: i });
      await history.do({ does: 'relieve' });
      await history.do({ does: 'complete', count: 1 });
    }
    expect(history.rowsOutsideMost).toBeGreaterThan(3);
  });
});
