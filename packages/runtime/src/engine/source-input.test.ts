import { watermarks } from '@millrace/core';
import type { SourceReader, Split } from '@millrace/core/spi';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { OperatorMetrics } from '../metrics/operator-metrics.js';
import { FailurePolicy } from './failure-policy.js';
import { SourceInput } from './source-input.js';
import type { SourceSnapshot } from './source-snapshot.js';
import { SourceTime } from './source-time.js';

/** A reader that has nothing to read, and notes what it is told. */
class NotingReader implements SourceReader<unknown> {
  readonly calls: string[] = [];
  private readonly splits: Split[] = [];

  addSplits(splits: readonly Split[]): void {
    this.splits.push(...splits);
    this.calls.push(`add ${splits.map(({ id }) => id)}`);
  }

  noMoreSplits(): void {
    this.calls.push('no more');
  }

  poll(): undefined {
    return undefined;
  }

  async available(): Promise<void> {}

  pauseSplits(): void {}

  resumeSplits(): void {}

  snapshot(): readonly Split[] {
    return [...this.splits];
  }
}

function sourceUnderTest() {
  const env = virtualEnv();
  const reader = new NotingReader();
  const metrics = new OperatorMetrics('source');
  const snapshots = new Map<number, SourceSnapshot>();
  const input = new SourceInput({
    id: 'source',
    nameInPlaces: undefined,
    reader,
    time: new SourceTime(watermarks<{ at: number }>(({ at }) => at) as never, undefined),
    farFutureMs: Infinity,
    metrics,
    failures: new FailurePolicy({ action: 'fail' }, metrics, env.clock, undefined),
    nowMs: () => env.clock.nowMs(),
    wake: () => undefined,
    restored: undefined,
    atBarrier: (checkpoint, snapshot) => snapshots.set(checkpoint, snapshot),
    onHeldEnd: () => undefined,
  });
  /** Splits that a checkpoint has of the source. */
  const splitsOf = (checkpoint: number): readonly string[] | undefined =>
    snapshots.get(checkpoint)?.splits.map(({ id }) => id);
  return { input, reader, splitsOf };
}

describe('splits that are assigned behind a trigger', () => {
  test('come behind its barrier: the enumerator in that checkpoint still has them', () => {
    const { input, reader, splitsOf } = sourceUnderTest();
    input.assign([{ id: 'a' }], false);
    input.trigger(1, 'aligned', ['b']);
    input.assign([{ id: 'b' }], true);
    expect(reader.calls).toEqual(['add a']);
    expect(input.next()).toMatchObject({ kind: 'barrier', checkpoint: 1 });
    expect(splitsOf(1)).toEqual(['a']);
    expect(reader.calls).toEqual(['add a', 'add b', 'no more']);
  });

  test('come ahead of the barrier of a newer trigger, which knows of them', () => {
    const { input, reader, splitsOf } = sourceUnderTest();
    input.trigger(1, 'aligned', ['a', 'b']);
    input.assign([{ id: 'a' }], false);
    input.trigger(2, 'aligned', ['b']);
    input.assign([{ id: 'b' }], false);
    expect(reader.calls).toEqual(['add a']);
    expect(input.next()).toMatchObject({ kind: 'barrier', checkpoint: 2 });
    expect([splitsOf(1), splitsOf(2)]).toEqual([undefined, ['a']]);
    expect(reader.calls).toEqual(['add a', 'add b']);
  });

  test('come at once where no barrier is to be sent any more', () => {
    const { input, reader } = sourceUnderTest();
    input.trigger(1, 'unaligned');
    expect(input.next()).toMatchObject({ kind: 'barrier', checkpoint: 1 });
    input.assign([{ id: 'a' }], false);
    expect(reader.calls).toEqual(['add a']);
  });
});
