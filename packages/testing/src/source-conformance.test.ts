import { MillraceError } from '@millrace/core';
import type { Source, SourceReader, Split } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { type SourceCase, type SourceUnderTest, sourceConformance } from './source-conformance.js';
import { virtualEnv } from './virtual-env.js';

/** What a source may get wrong. */
type Fault =
  | 'none'
  | 'forgets the position'
  | 'loses a record at a restart'
  | 'turns the order round'
  | 'gives more than asked for'
  | 'gives paused splits'
  | 'takes splits for empty that it has not come to'
  | 'reads ended splits again'
  | 'takes all at once'
  | 'loses records when disturbed'
  | 'does not look at what it reads'
  | 'loses what a failed checkpoint has';

const size = 30;
const ids = ['a', 'b'];

/** Numbers in memory as the outside of a source, with a fault. */
function underTest(fault: Fault): SourceUnderTest {
  const outside = { version: 1, fetched: 0, disturbed: 0 };
  const source: Source<unknown> = {
    type: 'numbers',
    replay: 'exact',
    bounded: true,
    createEnumerator: (_context, snapshot) => ({
      async discover() {
        return { splits: snapshot === undefined ? ids.map((id) => ({ id })) : [], end: true };
      },
      snapshot: () => 'done',
    }),
    createReader: () => readerOf(fault, outside),
  };
  return {
    source,
    env: virtualEnv(),
    expected: { a: numbersOf('a'), b: numbersOf('b') },
    async disturb() {
      outside.disturbed += 1;
    },
    async replace() {
      outside.version += 1;
    },
    fetched: async () => outside.fetched,
    heldMax: 4,
  };
}

const numbersOf = (id: string) =>
  Array.from({ length: size }, (_, index) => index * 2 + ids.indexOf(id));

interface Position {
  at: number;
  readonly version: number;
}

function readerOf(
  fault: Fault,
  outside: { version: number; fetched: number; disturbed: number },
): SourceReader<unknown> {
  const open = new Map<string, Position>();
  const paused = new Set<string>();
  const { disturbed } = outside;
  return {
    addSplits(splits) {
      for (const { id, position } of splits) {
        const { at = 0, version = outside.version } = (position as Position | undefined) ?? {};
        if (version !== outside.version && fault !== 'does not look at what it reads') {
          throw new MillraceError('ERR_SOURCE_CHANGED', id);
        }
        const isRestart = position !== undefined && at > 0;
        const lost = fault === 'loses a record at a restart' && isRestart ? 1 : 0;
        open.set(id, { at: fault === 'forgets the position' ? 0 : at + lost, version });
      }
    },
    noMoreSplits: () => undefined,
    poll(max) {
      for (const [id, position] of open) {
        if (paused.has(id) && fault !== 'gives paused splits') continue;
        const count = fault === 'gives more than asked for' ? max + 1 : max;
        const values = numbersOf(id).slice(position.at, position.at + count);
        if (fault === 'turns the order round') values.reverse();
        outside.fetched += fault === 'takes all at once' ? size : values.length;
        position.at += values.length;
        if (fault === 'loses records when disturbed' && outside.disturbed > disturbed) {
          values.pop();
        }
        const splitEnded = position.at >= size;
        if (splitEnded && fault !== 'reads ended splits again') open.delete(id);
        if (splitEnded && values.length === 0) continue;
        const start = position.at - values.length;
        const positionOf = (index: number) => String(start + index);
        return { split: id, values, start: 0, count: values.length, positionOf, splitEnded };
      }
      const isOver = [...open.values()].every(({ at }) => at >= size);
      return isOver ? 'end' : undefined;
    },
    available: async () => undefined,
    isSplitEmpty(id) {
      const isFirst = open.keys().next().value === id;
      return fault === 'takes splits for empty that it has not come to' && !isFirst;
    },
    pauseSplits: (these) => {
      for (const id of these) paused.add(id);
    },
    resumeSplits: (these) => {
      for (const id of these) paused.delete(id);
    },
    snapshot(checkpoint): readonly Split[] {
      if (fault === 'loses what a failed checkpoint has' && checkpoint === 3) {
        for (const position of open.values()) position.at += 1;
      }
      return [...open].map(([id, position]) => ({ id, position: { ...position } }));
    },
  };
}

async function failuresOf(fault: Fault): Promise<readonly SourceCase[]> {
  const failed: string[] = [];
  for (const { name, run } of sourceConformance('x', async () => underTest(fault))) {
    try {
      await run();
    } catch {
      failed.push(name.replace('x: ', ''));
    }
  }
  return failed as SourceCase[];
}

describe('the suite of sources', () => {
  test('passes one without a fault', async () => {
    expect(await failuresOf('none')).toEqual([]);
  });

  test.each<[Fault, SourceCase]>([
    ['forgets the position', 'goes on from the checkpoint after any chunk'],
    [
      'loses a record at a restart',
      'gives the same from one checkpoint each time, with places and times',
    ],
    [
      'turns the order round',
      'gives every record once, in the order of its split, however many are asked for',
    ],
    [
      'gives more than asked for',
      'gives every record once, in the order of its split, however many are asked for',
    ],
    ['gives paused splits', 'paused splits give nothing, and go on where they were'],
    [
      'takes splits for empty that it has not come to',
      'says of no split that it is empty while it has records',
    ],
    ['reads ended splits again', 'reads nothing again that has ended'],
    ['takes all at once', 'takes no more from the outside than it may hold'],
    [
      'loses records when disturbed',
      'loses and doubles nothing when the outside is killed and comes back',
    ],
    [
      'does not look at what it reads',
      'refuses to go on where what was read is gone or another one',
    ],
    ['loses what a failed checkpoint has', 'is told of checkpoints, and gives the same'],
  ])('finds one that %s', async (fault, expected) => {
    expect(await failuresOf(fault)).toContain(expected);
  });

  test('says why a case is skipped', () => {
    const skip = { 'reads nothing again that has ended': 'it never ends' } as const;
    const cases = sourceConformance('x', async () => underTest('none'), skip);
    expect(cases.filter(({ skipped }) => skipped !== undefined)).toMatchObject([
      { name: 'x: reads nothing again that has ended', skipped: 'it never ends' },
    ]);
  });
});
