import type { Stream } from '@millrace/core';
import { runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { operatorListState, process, type } from '../index.js';

const numbers = (...all: number[]) => all.map((record) => ({ record, at: 0 }));

describe('the list of an operator without a key', () => {
  const collect = process('collect', {
    output: type<string>(),
    state: { seen: operatorListState<number>() },
    onError: 'skip',
    process(n: number, ctx) {
      ctx.state.seen.add(n);
      if (n < 0) throw new Error('negative');
      if (n === 0) ctx.state.seen.set([]);
      ctx.emit(ctx.state.seen.get().join());
    },
  });

  test('keeps what is added and set', async () => {
    const { main } = await runOperator((s: Stream<number>) => s.pipe(collect), numbers(1, 2, 0, 3));
    expect(main.map(({ value }) => value)).toEqual(['1', '1,2', '', '3']);
  });

  test('is as it was ahead of a record that failed', async () => {
    const { main } = await runOperator((s: Stream<number>) => s.pipe(collect), numbers(1, -5, 2));
    expect(main.map(({ value }) => value)).toEqual(['1', '1,2']);
  });
});
