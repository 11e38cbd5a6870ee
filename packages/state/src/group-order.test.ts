import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupOrder } from './group-order.js';

test.each([1, 16, 1_024])('slots of %i key groups come in their order, as they were', (groups) => {
  const group = fc.integer({ min: -1, max: groups - 1 });
  // Around the quarter of the groups below which slots are sorted.
  const wanted = fc.array(group, { maxLength: Math.min(groups, 512) });
  fc.assert(
    fc.property(wanted, fc.integer({ min: 1, max: 300 }), (groupOfSlot, slotsMax) => {
      const slotAt = (index: number): number => groupOfSlot.length - 1 - index;
      const order = new GroupOrder(groupOfSlot.length, groups, slotAt, (at) => groupOfSlot[at]!);
      while (order.step(slotsMax) === 'more');
      const slots = groupOfSlot
        .map((_, index) => slotAt(index))
        .filter((at) => groupOfSlot[at]! >= 0);
      const expected = slots.sort((a, b) => groupOfSlot[a]! - groupOfSlot[b]!);
      expect([...order.slots.subarray(0, order.length)]).toEqual(expected);
    }),
  );
});
