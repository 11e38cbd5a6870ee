import { virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';
import { GroupAlignment } from './group-alignment.js';

function leader(slots: number) {
  const env = virtualEnv();
  const said: string[] = [];
  const alignment = new GroupAlignment(slots, env.scheduler, (slot, group, othersMs) =>
    said.push(`${slot} ${group} ${othersMs}`),
  );
  return {
    alignment,
    /** What slots are told until then, in order. */
    saidAfter(ms: number): string[] {
      env.advance(ms);
      return said.splice(0).sort();
    },
  };
}

test('each slot hears of the slowest of the others, once all have said something', () => {
  const { alignment, saidAfter } = leader(3);
  alignment.report(0, 'g', 10);
  alignment.report(1, 'g', 20);
  // Slot 2 may be further behind than anybody.
  expect(saidAfter(100)).toEqual(['2 g 10']);
  alignment.report(2, 'g', 30);
  expect(saidAfter(100)).toEqual(['0 g 20', '1 g 10']);
  alignment.report(0, 'g', 25);
  expect(saidAfter(100)).toEqual(['1 g 25', '2 g 20']);
});

test('many reports are told together, and what has not changed is not told', () => {
  const { alignment, saidAfter } = leader(2);
  for (let at = 0; at < 50; at += 1) {
    alignment.report(0, 'g', at);
    alignment.report(1, 'g', at + 1);
  }
  expect(saidAfter(100)).toEqual(['0 g 50', '1 g 49']);
  alignment.report(0, 'g', 49);
  expect(saidAfter(100)).toEqual([]);
});

test('groups are apart, and a slot without members holds nobody up', () => {
  const { alignment, saidAfter } = leader(2);
  alignment.report(0, 'a', 5);
  alignment.report(1, 'a', Infinity);
  alignment.report(0, 'b', 7);
  expect(saidAfter(100)).toEqual(['0 a Infinity', '1 a 5', '1 b 7']);
});

test('nothing is told behind the end', () => {
  const { alignment, saidAfter } = leader(2);
  alignment.report(0, 'g', 1);
  alignment.close();
  alignment.report(1, 'g', 1);
  expect(saidAfter(1_000)).toEqual([]);
});
