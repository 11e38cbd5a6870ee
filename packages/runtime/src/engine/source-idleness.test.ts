import { type WatermarkOptions, watermarks } from '@millrace/core';
import type { SourceChunk, SourceReader, Split } from '@millrace/core/spi';
import { type VirtualEnv, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { OperatorMetrics } from '../metrics/operator-metrics.js';
import { AlignmentGroup } from './alignment-group.js';
import { FailurePolicy } from './failure-policy.js';
import { SourceInput } from './source-input.js';
import type { RestoredSource, SourceSnapshot } from './source-snapshot.js';
import { SourceTime } from './source-time.js';

/** Reads what a test puts into its splits, a record of each in turn. */
class TestReader implements SourceReader<number> {
  /** Splits whose records it cannot get at now. */
  readonly closed = new Set<string>();
  readonly asked: string[] = [];
  private readonly queues = new Map<string, number[]>();
  private readonly paused = new Set<string>();

  put(split: string, ...times: readonly number[]): void {
    this.queues.get(split)!.push(...times);
  }

  addSplits(splits: readonly Split[]): void {
    for (const { id } of splits) this.queues.set(id, []);
  }

  noMoreSplits(): void {}

  poll(): SourceChunk<number> | undefined {
    for (const [id, queue] of this.queues) {
      const at = this.canRead(id) ? queue.shift() : undefined;
      if (at === undefined) continue;
      // The others come first the next time.
      this.queues.delete(id);
      this.queues.set(id, queue);
      return { split: id, values: [at], start: 0, count: 1 };
    }
    return undefined;
  }

  async available(): Promise<void> {}

  pauseSplits(ids: readonly string[]): void {
    for (const id of ids) this.paused.add(id);
  }

  resumeSplits(ids: readonly string[]): void {
    for (const id of ids) this.paused.delete(id);
  }

  snapshot(): readonly Split[] {
    return [...this.queues.keys()].map((id) => ({ id }));
  }

  isSplitEmpty(id: string): boolean {
    this.asked.push(id);
    return !this.closed.has(id) && this.queues.get(id)!.length === 0;
  }

  private canRead(id: string): boolean {
    return !this.paused.has(id) && !this.closed.has(id);
  }
}

const idleAfterMs = 1_000;
const stepMs = 50;

interface RigOptions extends WatermarkOptions {
  readonly splits?: readonly string[];
  /** Whether the reader says which splits are empty. Default `says`. */
  readonly emptiness?: 'says' | 'does not say';
  readonly restored?: RestoredSource;
}

/** A source whose splits are read as a stage reads them, in virtual time. */
class Rig {
  readonly env: VirtualEnv = virtualEnv();
  readonly reader = new TestReader();
  readonly time: SourceTime;
  /** Watermarks and idle marks that were sent. */
  readonly sent: (number | string)[] = [];
  /** Event time of the last record of `a`. */
  lastAt = 0;
  /** By how much the wall clock was set wrong, ms. */
  clockErrorMs = 0;
  private readonly input: SourceInput;
  private snapshot: SourceSnapshot | undefined;

  constructor({ splits = ['a', 'b'], emptiness, restored, ...options }: RigOptions = {}) {
    const { env } = this;
    const strategy = watermarks((at: number) => at, {
      step: 1,
      idleAfter: idleAfterMs,
      ...options,
    });
    const metrics = new OperatorMetrics('source');
    this.time = new SourceTime(
      strategy as never,
      strategy.alignment && new AlignmentGroup(Infinity),
    );
    this.input = new SourceInput({
      id: 'source',
      nameInPlaces: undefined,
      reader:
        emptiness === 'does not say'
          ? Object.assign(this.reader, { isSplitEmpty: undefined })
          : this.reader,
      time: this.time,
      farFutureMs: Infinity,
      metrics,
      failures: new FailurePolicy({ action: 'fail' }, metrics, env.clock, undefined),
      nowMs: () => env.clock.nowMs() + this.clockErrorMs,
      wake: () => undefined,
      restored,
      atBarrier: (_checkpoint, snapshot) => {
        this.snapshot = snapshot;
      },
      onHeldEnd: undefined,
    });
    const ids = splits.map((id) => ({ id }));
    if (restored === undefined) this.input.assign(ids, false);
  }

  assign(split: string): void {
    this.input.assign([{ id: split }], false);
  }

  /** The reader's `available` has resolved. */
  tell(): void {
    this.input.assign([], false);
  }

  open(): Promise<void> {
    return this.input.open();
  }

  /** Takes all there is. */
  read(): void {
    while (this.input.hasWork) this.takeChunk();
  }

  /** Time passes in which `a` always has another record, each 10 ms behind the one before. */
  busy(ms: number): void {
    for (let passed = 0; passed < ms; passed += stepMs) {
      for (const _ of ['for now', 'and for later']) {
        this.lastAt += 10;
        this.reader.put('a', this.lastAt);
      }
      this.takeChunk();
      this.env.advance(stepMs);
    }
  }

  /** Time passes in which nothing new comes. */
  silent(ms: number): void {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.env.advance(stepMs);
      this.read();
    }
  }

  /** A checkpoint behind the chunk at hand, as it comes back from its store. */
  checkpoint(): RestoredSource {
    this.input.trigger(1, 'aligned');
    while (this.snapshot === undefined) this.takeChunk();
    return JSON.parse(JSON.stringify(this.snapshot));
  }

  /** The next records with all that is sent ahead of them; or only that. */
  private takeChunk(): void {
    while (this.input.hasWork) {
      const next = this.input.next();
      if (next === undefined) continue;
      if ('kind' in next) {
        if (next.kind === 'barrier') return;
        this.sent.push(next.kind === 'watermark' ? next.time : next.kind);
        continue;
      }
      const at = next.chunk.values[next.from] as number;
      next.split.onRecord(at, at);
      this.input.taken(next.to);
      return;
    }
  }
}

describe('a split without records beside one that always has some', () => {
  test('is idle when it has been known to be empty for long enough', () => {
    const rig = new Rig();
    rig.busy(idleAfterMs);
    expect(rig.sent).toEqual([]);
    rig.busy(stepMs);
    expect(rig.sent).toEqual([200]);
    rig.busy(200);
    expect(rig.sent).toEqual([200, 210, 220, 230, 240]);
  });

  test('is waited for again when it has records, from where time then stands', () => {
    const rig = new Rig();
    rig.busy(2_000);
    const before = rig.time.watermark;
    expect(before).toBe(400);
    rig.reader.put('b', 5, 430);
    rig.busy(1_000);
    expect(rig.time.watermark).toBe(430);
    // Then it is silent again.
    rig.busy(1_000);
    expect(rig.time.watermark).toBeGreaterThan(700);
  });

  test('is not idle before the time has passed since its last record', () => {
    const rig = new Rig();
    rig.busy(900);
    rig.reader.put('b', 3);
    rig.busy(1_000);
    expect(rig.time.watermark).toBe(3);
    rig.busy(300);
    expect(rig.time.watermark).toBeGreaterThan(300);
  });

  test('is waited for before another one is idle, if it has records just then', () => {
    const rig = new Rig({ splits: ['a', 'b', 'c'] });
    rig.reader.closed.add('c');
    rig.busy(500);
    rig.reader.closed.delete('c');
    rig.busy(idleAfterMs);
    expect(rig.time.of('b').isIdle).toBe(true);
    rig.reader.put('b', 5);
    rig.busy(stepMs);
    expect(rig.time.of('c').isIdle).toBe(true);
    rig.busy(stepMs);
    expect(rig.sent).toEqual([5]);
  });

  test('does not add up times between which it was not known to be empty', () => {
    const rig = new Rig();
    rig.busy(900);
    rig.reader.closed.add('b');
    rig.busy(300);
    rig.reader.closed.delete('b');
    rig.busy(900);
    expect(rig.sent).toEqual([]);
    rig.busy(500);
    expect(rig.sent).not.toEqual([]);
  });

  test('is waited for again after a restart: idleness is no state, and time does not go back', async () => {
    const first = new Rig();
    first.busy(2_000);
    const rig = new Rig({ restored: first.checkpoint() });
    rig.lastAt = first.lastAt;
    await rig.open();
    rig.busy(idleAfterMs);
    expect(rig.sent).toEqual([400]);
    rig.busy(stepMs);
    expect(rig.sent[1]).toBeGreaterThan(first.lastAt);
  });

  test.each<[string, (rig: Rig) => void]>([
    [
      'has records that its reader has not opened yet',
      ({ reader }) => {
        reader.closed.add('b');
        reader.put('b', 1);
      },
    ],
    ['is out of reach, so that nobody knows', ({ reader }) => reader.closed.add('b')],
  ])('is not idle when it %s', (_name, arrange) => {
    const rig = new Rig();
    arrange(rig);
    rig.busy(20 * idleAfterMs);
    expect([rig.sent, rig.time.of('b').isIdle]).toEqual([[], false]);
    rig.reader.closed.clear();
    rig.reader.put('b', 2, 50);
    rig.busy(idleAfterMs);
    expect(rig.time.watermark).toBe(50);
  });

  test('is not idle, nor asked for, while it is paused', () => {
    const rig = new Rig({ align: { group: 'g', maxDrift: 100 } });
    rig.reader.put('b', 5_000, 5_001);
    rig.busy(2 * stepMs);
    rig.reader.asked.length = 0;
    rig.busy(5 * idleAfterMs);
    expect(rig.time.of('b')).toMatchObject({ isIdle: false, isPaused: true });
    expect(rig.reader.asked).not.toContain('b');
  });

  test.each<[string, RigOptions]>([
    ['its reader does not say what it knows', { emptiness: 'does not say' }],
    ['the strategy knows no idleness', { idleAfter: undefined }],
  ])('holds the others up when %s', (_name, options) => {
    const rig = new Rig(options);
    rig.busy(20 * idleAfterMs);
    expect([rig.sent, rig.reader.asked]).toEqual([[], []]);
  });
});

describe('a split of a reader that has nothing at all', () => {
  test('is idle when it has been known to be empty for long enough', () => {
    const rig = new Rig();
    rig.reader.put('a', 10);
    rig.read();
    rig.silent(idleAfterMs - stepMs);
    expect(rig.sent).toEqual([]);
    rig.silent(stepMs);
    expect(rig.sent).toEqual(['idle']);
  });

  test('is not idle while nobody knows whether it has records', () => {
    const rig = new Rig();
    rig.reader.closed.add('a');
    rig.read();
    rig.silent(20 * idleAfterMs);
    expect(rig.sent).toEqual([]);
    expect([rig.time.of('a').isIdle, rig.time.of('b').isIdle]).toEqual([false, true]);
    rig.reader.closed.clear();
    rig.silent(2 * idleAfterMs);
    expect(rig.sent).toEqual(['idle']);
  });

  test('is waited for again when nobody knows any more: its records may be on time', () => {
    const rig = new Rig();
    rig.reader.put('a', 10);
    rig.reader.put('b', 20);
    rig.read();
    rig.silent(2 * idleAfterMs);
    expect(rig.sent).toEqual([10, 'idle']);
    rig.reader.closed.add('a');
    rig.tell();
    rig.read();
    // The same watermark once more says that the source is not idle.
    expect(rig.sent).toEqual([10, 'idle', 10]);
    rig.silent(5 * idleAfterMs);
    expect(rig.sent).toEqual([10, 'idle', 10]);
  });

  test('is idle all the same where that can never be known', () => {
    const rig = new Rig({ emptiness: 'does not say' });
    rig.read();
    rig.silent(idleAfterMs);
    expect(rig.sent).toEqual(['idle']);
  });

  test('is not idle when the process was stopped, and has not heard what came meanwhile', () => {
    const rig = new Rig();
    rig.read();
    rig.silent(stepMs);
    rig.env.advance(3_600_000);
    rig.read();
    expect(rig.sent).toEqual([]);
  });

  test('that comes when the source is idle is waited for', () => {
    const rig = new Rig();
    rig.read();
    rig.silent(idleAfterMs);
    rig.assign('c');
    rig.read();
    expect(rig.sent).toEqual(['idle', -Infinity]);
    rig.silent(idleAfterMs);
    expect(rig.sent).toEqual(['idle', -Infinity, 'idle']);
  });

  test('says that the source is not idle ahead of its records, which a filter may drop', () => {
    const rig = new Rig();
    rig.reader.put('a', 10);
    rig.reader.put('b', 10);
    rig.read();
    rig.silent(idleAfterMs);
    rig.reader.put('a', 10);
    rig.tell();
    rig.read();
    expect(rig.sent).toEqual([10, 'idle', 10]);
  });

  test('that was paused has not been known to be empty meanwhile', () => {
    const rig = new Rig({ align: { group: 'g', maxDrift: 100 }, emptiness: 'does not say' });
    rig.reader.put('a', 500);
    rig.reader.put('b', 480);
    rig.read();
    rig.silent(900);
    // A new split is behind, so `a` waits for it; then that is far enough, and `a` may go on.
    rig.assign('c');
    rig.reader.put('b', 490);
    rig.reader.put('c', 10);
    rig.read();
    expect(rig.time.of('a').isPaused).toBe(true);
    rig.silent(900);
    rig.reader.put('b', 500);
    rig.reader.put('c', 450);
    rig.tell();
    rig.read();
    expect(rig.time.of('a')).toMatchObject({ isPaused: false, isIdle: false });
  });
});

describe('looking for idle splits', () => {
  test('asks a few times in the time after which they are idle', () => {
    const rig = new Rig({ splits: ['a', 'b', 'c'] });
    rig.reader.closed.add('c');
    rig.busy(10 * idleAfterMs);
    const looks = rig.reader.asked.filter((split) => split === 'c');
    expect(looks).toHaveLength(40);
  });

  test('asks for nothing where there is one split', () => {
    const rig = new Rig({ splits: ['a'] });
    rig.busy(10 * idleAfterMs);
    expect(rig.reader.asked).toEqual([]);
  });

  test('does not count the time in which the process was stopped', () => {
    const rig = new Rig();
    rig.busy(stepMs);
    rig.env.advance(3_600_000);
    rig.busy(stepMs);
    // By now it has heard what had come meanwhile.
    rig.reader.put('b', 1);
    rig.busy(2 * idleAfterMs);
    expect(rig.sent[0]).toBe(1);
  });

  test('goes on when the clock is set back', () => {
    const rig = new Rig();
    rig.busy(500);
    rig.clockErrorMs = -3_600_000;
    rig.busy(2 * idleAfterMs);
    expect(rig.time.of('b').isIdle).toBe(true);
  });
});

test('a source that waits for its own silent split goes on when that is idle', () => {
  const rig = new Rig({ align: { group: 'g', maxDrift: 100 } });
  rig.reader.put('a', 10, 20, 30);
  rig.read();
  expect(rig.time.of('a').watermark).toBe(10);
  rig.silent(idleAfterMs);
  expect(rig.time.of('a').watermark).toBe(30);
});
