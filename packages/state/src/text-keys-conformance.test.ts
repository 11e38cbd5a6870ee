import { stateBackendConformance } from '@millrace/testing';
import { describe, test, vi } from 'vitest';
import { HeapBackend } from './heap-backend.js';

/** So few that texts among the keys of the suite are kept as bytes. */
vi.mock('./limits.js', async (original) => {
  const { stateLimits } = await original<typeof import('./limits.js')>();
  return { stateLimits: { ...stateLimits, textKeysMin: 1 } };
});

describe('the heap backend with texts as bytes', () => {
  const cases = stateBackendConformance('heap', (options) => new HeapBackend(options));
  for (const { name, run } of cases) test(name, { timeout: 60_000 }, run);
});
