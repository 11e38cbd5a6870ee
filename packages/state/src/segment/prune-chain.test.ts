import { describe, expect, test } from 'vitest';
import type { BlockKind, StateLayout } from './block.js';
import { segmentUses } from './prune-chain.js';
import type { SegmentIndex } from './segment-footer.js';
import { frameBytes } from './segment-format.js';

const layoutOf = (state: string): StateLayout => ({
  operator: 'op',
  state,
  kind: 'keyTable',
  version: 1,
  shape: '',
  numbers: 1,
  blobs: 0,
  identityNumbers: 0,
  identityBlobs: 0,
});

/** A segment of blocks written as `state:kind`, each of 100 bytes with its frame. */
function segment(...blocks: readonly string[]): SegmentIndex {
  const states = [...new Set(blocks.map((block) => block.split(':')[0]!))];
  return {
    layouts: states.map(layoutOf),
    bytes: 0,
    blocks: blocks.map((block) => {
      const [state, kind] = block.split(':') as [string, BlockKind];
      const count = kind === 'drop' ? 0 : 1;
      const layout = states.indexOf(state);
      const place = { offset: 0, length: 100 - frameBytes, crc: 0, lowGroup: 0, highGroup: 0 };
      return { ...place, layout, kind, namespace: [], count };
    }),
  };
}

describe('what counts in a chain', () => {
  const check = (chain: readonly SegmentIndex[], expected: readonly (number | 'obsolete')[]) => {
    const uses = segmentUses(chain);
    expect(uses.map((use) => (use.isObsolete ? 'obsolete' : use.liveBytes))).toEqual(expected);
  };

  test('rows that nothing hides', () => {
    check([segment('a:rows', 'b:rows'), segment('a:removals')], [200, 100]);
  });

  test('a table written whole hides what was written of it before', () => {
    const whole = segment('a:drop', 'a:rows', 'a:rows');
    check([whole, segment('a:rows'), whole], ['obsolete', 'obsolete', 200]);
  });

  test('a drop stays while there is something older for it to hide', () => {
    const older = segment('a:rows', 'b:rows');
    const kept = segment('a:rows', 'b:rows', 'c:rows');
    check([kept, segment('b:drop'), segment('a:drop', 'a:rows')], [100, 0, 100]);
    check([older, segment('b:drop'), segment('a:drop', 'a:rows')], ['obsolete', 0, 100]);
  });

  test('a drop with nothing older goes', () => {
    check([segment('a:drop'), segment('b:rows')], ['obsolete', 100]);
  });

  test('blocks ahead of a drop in their own segment do not count', () => {
    check([segment('a:rows', 'a:drop', 'a:rows')], [100]);
  });
});
