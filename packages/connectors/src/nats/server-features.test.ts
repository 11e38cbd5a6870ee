import { expect, test } from 'vitest';
import { featuresOf, requireFeature } from './server-features.js';

test.each([
  ['2.10.29', 0, []],
  ['2.11.0', 1, ['messageTtl']],
  ['2.12.4', 2, ['messageTtl', 'atomicBatch']],
  ['2.14.9', 4, ['messageTtl', 'atomicBatch', 'fastBatch']],
])('what %s with level %i can do', (version, level, able) => {
  const features = featuresOf(version, level);
  const all = ['messageTtl', 'atomicBatch', 'fastBatch'] as const;
  expect(all.filter((feature) => features.has(feature))).toEqual(able);
});

test('what is missing is named with the version that has it', () => {
  expect(() => requireFeature(featuresOf('2.11.8', 1), 'atomicBatch')).toThrow(
    /ERR_NATS_SERVER_TOO_OLD.*atomicBatch needs nats-server 2\.12 .*this is 2\.11\.8/,
  );
});
