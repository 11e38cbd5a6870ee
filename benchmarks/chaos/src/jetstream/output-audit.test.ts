import { describe, expect, test } from 'vitest';
import { auditOutput, isSound, type Succession } from './output-audit.js';
import type { StoredBatch } from './output-stream.js';

/** `'a b'` by process 1 as chunk 1 of 1 of checkpoint 1, unless it is said. */
function batch(
  lines: string,
  over: Partial<StoredBatch['marker']> & { life?: number },
): StoredBatch {
  const { life = 1, ...marker } = over;
  return {
    rows: lines.split(' ').map((line) => ({ line, life })),
    marker: { checkpoint: 1, chunk: 1, of: 1, lineage: 'first', ...marker },
  };
}

const successions: readonly Succession[] = [
  { life: 1, resumedFrom: null },
  { life: 2, resumedFrom: 2 },
];
const sound: readonly StoredBatch[] = [
  batch('a b', { checkpoint: 1 }),
  batch('c d', { checkpoint: 2, chunk: 1, of: 2 }),
  batch('e', { checkpoint: 2, chunk: 2, of: 2 }),
  batch('f', { checkpoint: 5, life: 2 }),
];
const audit = (batches: readonly StoredBatch[], rest: readonly string[] = []) =>
  auditOutput(
    { batches, rest: rest.map((line) => ({ line, life: 2 })) },
    ['f', 'e', 'd', 'c', 'b', 'a'],
    successions,
  );

describe('the audit of an output', () => {
  test('finds nothing in what is as it should be', () => {
    const findings = audit(sound);
    expect(findings).toEqual({ rows: 6, lost: [], doubled: [], fromZombies: [], outOfOrder: [] });
    expect(isSound(findings)).toBe(true);
  });

  test.each<[string, readonly StoredBatch[], string, readonly string[]]>([
    ['a row that is missing', sound.slice(0, 3), 'lost', ['f']],
    [
      'a row that is there twice',
      [...sound, batch('a', { checkpoint: 6, life: 2 })],
      'doubled',
      ['a'],
    ],
    [
      'a row that a process published after its successor had begun',
      [...sound.slice(0, 3), batch('f', { checkpoint: 3, life: 1 })],
      'fromZombies',
      ["f: of process 1, checkpoint 3 is 2's"],
    ],
    [
      'a chunk without the one before it',
      [...sound.slice(0, 1), batch('c d e', { checkpoint: 2, chunk: 2, of: 2 }), sound[3]!],
      'outOfOrder',
      ['chunk 2 of 2 of checkpoint 2 of first behind chunk 1 of 1 of checkpoint 1 of first'],
    ],
    [
      'a chunk that is there twice',
      [...sound, batch('f', { checkpoint: 5, life: 2 })],
      'outOfOrder',
      ['chunk 1 of 1 of checkpoint 5 of first behind chunk 1 of 1 of checkpoint 5 of first'],
    ],
    [
      'another history',
      [...sound.slice(0, 3), batch('f', { checkpoint: 5, life: 2, lineage: 'fork' })],
      'outOfOrder',
      ['chunk 1 of 1 of checkpoint 5 of fork behind chunk 2 of 2 of checkpoint 2 of first'],
    ],
  ])('finds %s', (_, batches, finding, found) => {
    const findings = audit(batches);
    expect(findings).toMatchObject({ [finding]: found });
    expect(isSound(findings)).toBe(false);
  });

  test('finds rows that no marker is behind', () => {
    expect(audit(sound.slice(0, 3), ['f']).fromZombies).toEqual(['f: of process 2, no marker']);
  });
});
