import { stateBackendConformance } from '@millrace/testing';
import { describe, test } from 'vitest';
import { HeapBackend } from './heap-backend.js';
import { stateLimits } from './limits.js';

/** So few that texts among the keys of the suite are kept as bytes. */
Object.assign(stateLimits, { textKeysMin: 1 });

describe('the heap backend with texts as bytes', () => {
  const cases = stateBackendConformance('heap', (options) => new HeapBackend(options));
  for (const { name, run } of cases) test(name, { timeout: 60_000 }, run);
});
