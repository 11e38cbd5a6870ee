import type { SourceChunk } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainShape } from '../plan/batch-shape.js';
import { BatchPool, type PooledBatch } from './batch-pool.js';
import { ChunkPlaces, isExact, type Places, positionOf } from './record-places.js';

/** A chunk whose record `i` is at `first + i`. */
const chunk = (split: string, first: number, source?: string): Places => {
  const given = { split, positionOf: (index: number) => String(first + index) };
  return new ChunkPlaces(given as SourceChunk<unknown>, source);
};

const batchOf = (): PooledBatch => new BatchPool(plainShape).take();

/** Writes rows, of the records `from … to`. */
function write(
  batch: PooledBatch,
  rows: number,
  ...[of, from, to, rowsPerRecord = 'atMostOne']: [
    Places | undefined,
    number,
    number,
    Parameters<PooledBatch['trace']>[3]?,
  ]
): void {
  for (let i = 0; i < rows; i += 1) batch.emit(i, 0);
  batch.trace(of, from, to, rowsPerRecord);
}

const positionsOf = ({ places, count }: PooledBatch): (string | undefined)[] =>
  Array.from({ length: count }, (_, row) => positionOf(places, row));

describe('where a record stood', () => {
  test('is exact where all records of a chunk became rows', () => {
    const batch = batchOf();
    const first = chunk('a', 10);
    write(batch, 2, first, 3, 5);
    write(batch, 1, first, 5, 6);
    write(batch, 2, chunk('b', 0), 0, 2);
    expect(positionsOf(batch)).toEqual(['a@13', 'a@14', 'a@15', 'b@0', 'b@1']);
  });

  test('is a range where some were left out: as many as are ahead cannot be it', () => {
    const batch = batchOf();
    write(batch, 3, chunk('a', 0), 0, 5);
    expect(positionsOf(batch)).toEqual([
      'between a@0 and a@2',
      'between a@1 and a@3',
      'between a@2 and a@4',
    ]);
  });

  test('is any of the records that a function emitted rows at', () => {
    const batch = batchOf();
    write(batch, 2, chunk('a', 0), 4, 7, 'any');
    expect(positionsOf(batch)).toEqual(['between a@4 and a@6', 'between a@4 and a@6']);
  });

  test('names splits, and the source where there are several', () => {
    const first = batchOf();
    write(first, 1, chunk('0', 7, 'web'), 0, 1);
    write(first, 1, chunk('0', 9, 'mobile'), 0, 1);
    const second = batchOf();
    write(second, 1, first.places, 0, 2);
    expect(positionsOf(second)).toEqual(['web 0@7 or mobile 0@9']);
  });

  test('is not known of what came of no record, nor of a record of which it is not known', () => {
    const first = batchOf();
    write(first, 1, undefined, 0, 0);
    write(first, 1, chunk('a', 0), 0, 1);
    const second = batchOf();
    write(second, 1, first.places, 0, 2);
    expect(positionsOf(first)).toEqual([undefined, 'a@0']);
    expect(positionsOf(second)).toEqual([undefined]);
    expect(positionOf(first.places, -1)).toBeUndefined();
  });

  test('stays what it was when the batch it came in is used again', () => {
    const pool = new BatchPool(plainShape);
    const first = pool.take();
    write(first, 2, chunk('a', 0), 0, 2);
    const second = batchOf();
    write(second, 2, first.places, 0, 2);
    first.holders = 1;
    first.release();
    expect(pool.take()).toBe(first);
    expect(first.places).toBeUndefined();
    write(first, 1, chunk('b', 0), 0, 1);
    expect(positionsOf(second)).toEqual(['a@0', 'a@1']);
  });
});

test('the true place is always among those named, through any stages', () => {
  const parts = fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(
      parts,
      fc.array(fc.array(fc.boolean(), { maxLength: 30 }), { maxLength: 3 }),
      history,
    ),
  );
});

/** A first stage keeps some records of chunks; each stage behind it keeps some of its rows. */
function history(chunks: readonly boolean[][], filters: readonly boolean[][]): void {
  let batch = batchOf();
  let truth: number[] = [];
  for (const [number, kept] of chunks.entries()) {
    const rows = kept.flatMap((keep, index) => (keep ? [number * 10 + index] : []));
    truth.push(...rows);
    write(batch, rows.length, chunk('s', number * 10), 0, kept.length);
  }
  for (const kept of filters) {
    const next = batchOf();
    const rows = truth.filter((_, row) => kept[row] ?? true);
    write(next, rows.length, batch.places, 0, truth.length);
    [batch, truth] = [next, rows];
  }
  const all = [...chunks, ...filters].flat().every((keep) => keep);
  for (const [row, place] of truth.entries()) {
    const position = positionOf(batch.places, row)!;
    const [first, last = first] = [...position.matchAll(/s@(\d+)/g)].map(([, at]) => Number(at));
    expect(first).toBeLessThanOrEqual(place);
    expect(last).toBeGreaterThanOrEqual(place);
    if (all) expect(isExact(position)).toBe(true);
  }
}
