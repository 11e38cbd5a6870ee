import type { Stream } from '@millrace/core';
import { runOperator } from '@millrace/testing';
import { expect, test } from 'vitest';
import { aggregator } from '../aggregators/custom.js';
import { keyBy } from '../key-by.js';
import { aggregate } from './aggregate.js';
import { sliding } from './assigner.js';
import { window } from './window.js';

test('an aggregator that changes its accumulator sees each record once in each window', async () => {
  const list = aggregator<number, number[], readonly number[]>({
    create: () => [],
    add: (into, n) => {
      into.push(n);
      return into;
    },
    result: (all) => [...all],
  });
  const piece = (input: Stream<number>) =>
    input.pipe(
      keyBy(() => 'all'),
      window('w', sliding(4, 2)),
      aggregate({ list }),
    );
  const script = [1, 2, 3].map((record) => ({ record, at: record }));
  const { main } = await runOperator(piece, script);
  expect(main.map(({ value }) => [value.window.start, ...value.list])).toEqual([
    [-2, 1],
    [0, 1, 2, 3],
    [2, 2, 3],
  ]);
});
