// Makes the golden snapshot of broadcast state from the JSON beside it. Run once, by hand, after a
// build, when what a snapshot has of it is new:
//
//   node scripts/make-golden-broadcast.mjs 1
//
// A golden file is never made again: every later release must restore it as it is.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HeapBackend } from '../packages/state/dist/heap-backend.js';
import { SegmentWriter } from '../packages/state/dist/segment/segment-writer.js';

const version = Number(process.argv[2]);
const path = (ending) =>
  fileURLToPath(
    new URL(`../packages/state/golden/broadcast-v${version}.${ending}`, import.meta.url),
  );

const groups = { first: 64, last: 127 };
const backend = new HeapBackend({ tracking: 'tracked', groupCount: 256, groups });
const declared = { rules: { kind: 'broadcast', version: 1 } };
const { rules } = backend.operatorState('check', declared).handles;
for (const [key, value] of JSON.parse(readFileSync(path('json'), 'utf8'))) rules.set(key, value);

backend.freeze('check');
const writer = new SegmentWriter();
const sink = {
  layout: (layout) => writer.layout(layout),
  add: (...block) => writer.add(...block),
  drop: (layout, namespace) => writer.add(layout, 'drop', namespace),
};
while (backend.step(sink, 100) === 'more');
writer.finish();
writeFileSync(path('bin'), Buffer.concat(writer.takeChunks()), { flag: 'wx' });
