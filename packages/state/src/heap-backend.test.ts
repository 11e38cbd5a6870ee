import { stateBackendConformance } from '@millrace/testing';
import { describe, test } from 'vitest';
import { HeapBackend } from './heap-backend.js';

describe('the heap backend', () => {
  const cases = stateBackendConformance('heap', (options) => new HeapBackend(options));
  for (const { name, run } of cases) test(name, { timeout: 60_000 }, run);
});
