import type { PlantedBug } from './planted-bug.js';

const restore = 'runtime/job/restore-state';

/** State as snapshots have it. */
export const stateBugs: readonly PlantedBug[] = [
  {
    name: 'key group range off by one at a rescale',
    edits: [
      {
        module: restore,
        find: '{ range: keyGroups, chainGroups, takes, old }',
        replace:
          '{ range: { first: keyGroups.first + (first === keyGroups.first ? 0 : 1), last: keyGroups.last - (last === keyGroups.last ? 0 : 1) }, chainGroups, takes, old }',
      },
    ],
  },
  {
    name: 'timers not restored',
    edits: [
      {
        module: 'state/heap-timers',
        find: 'this.isLoaded = true;',
        replace: '',
      },
    ],
  },
  {
    name: 'removal lost in a delta',
    edits: [
      {
        module: 'state/change-tracker',
        find: 'this.removedKeys.push(this.rows.keyAt(slot));',
        replace: '',
      },
    ],
  },
  {
    name: 'change lost in a delta',
    edits: [
      {
        module: 'state/rows-snapshot',
        find: 'const to = Math.min(order.length, this.next + rowsMax);',
        replace:
          'const to = Math.min(order.length, this.next + rowsMax); if (this.next === 0 && order.length > 3) this.next = 1;',
      },
    ],
  },
  {
    name: 'rows that change while a snapshot is encoded are not kept',
    edits: [
      {
        module: 'state/change-tracker',
        find: 'this.rows.keepAside(slot, this.aside.add(slot, this.marks.length));',
        replace: 'this.aside.add(slot, this.marks.length);',
      },
    ],
  },
  {
    name: "order of a chain's segments reversed",
    edits: [
      {
        module: restore,
        find: 'for (const segment of chain) {',
        replace: 'for (const segment of [...chain].reverse()) {',
      },
    ],
  },
  {
    name: 'merge loses the newest rows',
    edits: [
      {
        module: 'state/segment/merge-rows',
        find: 'this.replaced[before] = true;',
        replace: ';',
      },
      {
        module: 'state/segment/merge-rows',
        find: 'this.replaced.push(false);',
        replace: 'this.replaced.push(before !== none);',
      },
    ],
  },
];
