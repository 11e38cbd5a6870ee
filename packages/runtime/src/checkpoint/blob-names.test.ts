import { expect, test } from 'vitest';
import { adoptedBlobName, savepointBlobName, segmentName } from './blob-names.js';

test('names of blobs do not grow where jobs go on from one savepoint after another', () => {
  const first = segmentName(41, '1-00112233445566aa', 'task-0');
  let name = first;
  for (let generation = 0; generation < 12; generation += 1) {
    const lineage = String(generation).padStart(16, '0');
    name = adoptedBlobName(savepointBlobName('next', name), 'segments/', lineage);
  }
  const own = first.slice('segments/'.length);
  expect(name).toBe(`segments/from-0000000000000011-${own}`);
});
