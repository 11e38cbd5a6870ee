import { expect, test } from 'vitest';
import type { Fence, FenceMarker } from './fence-marker.js';
import { decideRefusal } from './fence-refusal.js';

const marker: FenceMarker = {
  format: 1,
  job: 'j',
  sink: 's',
  shard: 0,
  lineage: 'one',
  checkpoint: 5,
  chunk: 2,
  of: 3,
};
const at = (sequence: number, more: Partial<FenceMarker> = {}): Fence => ({
  sequence,
  marker: { ...marker, ...more },
});
const entries = [
  { checkpoint: 5, chunks: 3 },
  { checkpoint: 6, chunks: 1 },
];
const newer = { code: 'ERR_SINK_FENCED', mayBeStale: false };
const older = { code: 'ERR_SINK_CHANGED', mayBeStale: true };

test.each<[string, number, Fence | undefined, object]>([
  ['it is just that: the try before was stored', 100, at(140), { kind: 'stored' }],
  ['it has not moved', 100, at(100, { chunk: 1 }), { kind: 'try again' }],
  ['there is none, as expected', 0, undefined, { kind: 'try again' }],
  ['a chunk behind it is there, too', 100, at(180, { chunk: 3 }), { kind: 'stored' }],
  [
    'so is the next checkpoint',
    100,
    at(180, { checkpoint: 6, chunk: 1, of: 1 }),
    { kind: 'stored' },
  ],
  ['it has other chunks', 100, at(180, { chunk: 3, of: 4 }), newer],
  ['it is of a checkpoint that is not known here', 100, at(180, { checkpoint: 7 }), newer],
  ['it is of an older checkpoint that is not known here', 100, at(180, { checkpoint: 4 }), newer],
  ['another history is there', 100, at(180, { lineage: 'two' }), newer],
  ['it went back', 100, at(60, { chunk: 1 }), older],
  ['it is gone', 100, undefined, older],
])('the fence is read after a chunk was not stored: %s', (_, expected, fence, decision) => {
  expect(decideRefusal({ marker, expected, entries, fence })).toMatchObject(decision);
});
