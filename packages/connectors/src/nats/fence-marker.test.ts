import { expect, test } from 'vitest';
import { fenceHeader, fenceTokens, isFenceMarker, markerBody, markerOf } from './fence-marker.js';

const owner = { job: 'a.b', sink: 'out', shard: 1 };
const marker = { format: 1 as const, ...owner, lineage: 'one', checkpoint: 3, chunk: 1, of: 1 };

test('its subject has a token for each part, whatever dots ids have', () => {
  expect(fenceTokens(owner)).toBe('a_2e_b.out.1');
});

test('a message is a marker by its body and its header', () => {
  const messageOf = (data: Uint8Array, ...names: readonly string[]) => ({
    data,
    header: (name: string) => (names.includes(name) ? '1' : undefined),
  });
  expect(isFenceMarker(messageOf(markerBody(marker), fenceHeader))).toBe(true);
  expect(isFenceMarker(messageOf(markerBody(marker)))).toBe(false);
  expect(isFenceMarker(messageOf(Buffer.from('{"format":1}'), fenceHeader))).toBe(false);
  expect(isFenceMarker(messageOf(new Uint8Array(), fenceHeader))).toBe(false);
});

test('a marker is read for its owner', () => {
  expect(markerOf(JSON.stringify(marker), 'f', owner)).toEqual(marker);
});

test.each([
  ['of another job', JSON.stringify({ ...marker, job: 'a_2e_b' })],
  ['of another shard', JSON.stringify({ ...marker, shard: 0 })],
  ['in a format that is unknown', JSON.stringify({ ...marker, format: 2 })],
  ['that is none', 'hello'],
])('one %s is refused', (_, body) => {
  expect(() => markerOf(body, 'f', owner)).toThrow(/ERR_SINK_FENCED.*somebody else wrote to it/);
});
