import { expect, test } from 'vitest';
import type { Stage } from './stage.js';
import { StageOrder, type StepOrder } from './stage-order.js';

type FakeStage = { readonly readsSource: boolean; isReady(): boolean };

/** The first `count` steps of stages named `s…` (sources) or otherwise. */
function steps(names: readonly string[], ready: readonly string[], order: StepOrder, count = 6) {
  const stages = names.map(
    (name): FakeStage => ({
      readsSource: name.startsWith('s'),
      isReady: () => ready.includes(name),
    }),
  );
  const stageOrder = new StageOrder(stages as unknown as Stage[], order);
  return Array.from({ length: count }, () => names[stageOrder.next()] ?? '-').join(' ');
}

const two = ['s0', 'a0', 's1', 'a1', 'out'];

test('what is furthest downstream goes first', () => {
  expect(steps(two, two, 'downstream', 2)).toBe('out out');
  expect(steps(two, ['s1', 'a0'], 'downstream', 2)).toBe('a0 a0');
});

test('sources take turns', () => {
  expect(steps(two, ['s0', 's1'], 'downstream')).toBe('s0 s1 s0 s1 s0 s1');
  const three = ['s0', 's1', 's2', 'a'];
  expect(steps(three, ['s0', 's1', 's2'], 'downstream')).toBe('s0 s1 s2 s0 s1 s2');
  expect(steps(three, ['s0', 's2'], 'downstream')).toBe('s0 s2 s0 s2 s0 s2');
});

test('a fair order has a source, or what is furthest upstream, in every other step', () => {
  expect(steps(two, two, 'fair')).toBe('s0 out s1 out s0 out');
  expect(steps(two, ['a0', 'out'], 'fair', 4)).toBe('a0 out a0 out');
});

test('where nothing is ready nobody takes a step', () => {
  expect(steps(two, [], 'downstream', 1)).toBe('-');
  expect(steps(two, [], 'fair', 2)).toBe('- -');
});
