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
const newer = { code: 'ERR_SINK_FENCED', mayBeStale: false };
const older = { code: 'ERR_SINK_CHANGED', mayBeStale: true };

test.each<[string, number, Fence | undefined, object]>([
  ['it is just that: the try before was stored', 100, at(140), { kind: 'stored', sequence: 140 }],
  ['it has not moved', 100, at(100, { chunk: 1 }), { kind: 'try again' }],
  ['there is none, as expected', 0, undefined, { kind: 'try again' }],
  ['the next chunk is there: another process is ahead', 100, at(180, { chunk: 3 }), newer],
  ['a later checkpoint is there', 100, at(180, { checkpoint: 6, chunk: 1 }), newer],
  ['another history is there', 100, at(180, { lineage: 'two' }), newer],
  ['it went back', 100, at(60, { chunk: 1 }), older],
  ['it is gone', 100, undefined, older],
])('the fence is read after a chunk was not stored: %s', (_, expected, fence, decision) => {
  expect(decideRefusal({ marker, expected, fence })).toMatchObject(decision);
});
