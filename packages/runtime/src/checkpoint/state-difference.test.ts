import { expect, test } from 'vitest';
import type { StateSummary } from './manifest.js';
import { refuseDifferences, stateDifferences } from './state-difference.js';

const list = (shape: string): StateSummary => ({
  operator: 'sample',
  state: 'kept',
  kind: 'operatorList',
  version: 1,
  shape,
});

test('a list that would be restored another way is refused with what to declare', () => {
  const declared = [{ ...list('union'), migrates: true }];
  const differences = stateDifferences([list('split')], declared);
  expect(() => refuseDifferences(differences, [])).toThrow(
    expect.objectContaining({
      code: 'ERR_STATE_INCOMPATIBLE',
      operator: 'sample',
      detail: expect.stringContaining(
        "sample: kept: a list with redistribute: 'split' is stored, 'union' declared: declare 'split'",
      ),
    }),
  );
  expect(() => refuseDifferences(differences, ['sample'])).not.toThrow();
});
