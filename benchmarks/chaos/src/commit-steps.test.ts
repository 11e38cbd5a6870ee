import { expect, test } from 'vitest';
import { type Operation, type Places, stepOf } from './commit-steps.js';

const file: Places = { checkpoints: '/run/checkpoints', output: '/run/rows' };
const parts: Places = { checkpoints: '/run/checkpoints', output: '/run/rows/' };

test.each<[Operation, string, Places, string | undefined]>([
  ['rename', '/run/checkpoints/segments/7-1-ab-task-0-0', file, 'segment rename'],
  ['syncFolder', '/run/checkpoints/manifests', file, 'manifest folder sync'],
  ['link', '/run/checkpoints/commits/commit/0000000000007.rec', file, 'commit link'],
  ['write', '/run/checkpoints/commits/commit/.aside-12', file, 'commit write'],
  ['remove', '/run/checkpoints/commits/commit/0000000000007.rec', file, 'old commit delete'],
  ['link', '/run/checkpoints/committed/1-7', file, 'mark link'],
  ['write', '/run/.rows.pending-7-ab', file, 'aside rows write'],
  ['write', '/run/rows', file, 'output write'],
  ['syncFolder', '/run', file, 'output folder sync'],
  ['link', '/run/rows/part-0-7.ndjson', parts, 'output link'],
  ['sync', '/run/rows/.part-0.pending-7-ab', parts, 'aside rows sync'],
  ['syncFolder', '/run/rows', parts, 'output folder sync'],
  ['read', '/run/events.ndjson', parts, undefined],
  ['syncFolder', '/run', parts, undefined],
])('%s %s', (operation, path, places, step) => {
  expect(stepOf(operation, path, places)).toBe(step);
});

test('a half-written blob is known by its content', () => {
  const aside = '/run/checkpoints/.aside/12ab';
  expect(stepOf('sync', aside, file, 'manifest')).toBe('manifest sync');
  expect(stepOf('sync', aside, file, 'segment')).toBe('segment sync');
});
