// Makes the golden segment of a format version from the JSON beside it. Run once, by hand, when a
// version of the format is new, after a build:
//
//   node scripts/make-golden-segment.mjs 1
//
// A golden file is never made again: every later release must read it as it is.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { plainBlocksOfJson, segmentOf } from '../packages/state/dist/segment/plain-segment.js';

const version = Number(process.argv[2]);
const path = (ending) =>
  fileURLToPath(new URL(`../packages/state/golden/segment-v${version}.${ending}`, import.meta.url));

const blocks = plainBlocksOfJson(JSON.parse(readFileSync(path('json'), 'utf8')));
writeFileSync(path('bin'), segmentOf(blocks), { flag: 'wx' });
