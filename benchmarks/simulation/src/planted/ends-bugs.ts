import {
  eagerSink,
  forgetfulDisk,
  forgetfulFolders,
  forgetfulSink,
  hastySource,
  repeatingSource,
} from './around.js';
import type { PlantedBug } from './planted-bug.js';

/** Something else happens for so long first. */
const afterMs = (ms: number): string =>
  `await new Promise((done) => env.scheduler.after(${ms}, done));`;

/** Disks, sources and sinks. */
export const endsBugs: readonly PlantedBug[] = [
  { name: 'disk whose sync does nothing', edits: [], around: { storage: forgetfulDisk } },
  { name: 'disk whose folders are not synced', edits: [], around: { storage: forgetfulFolders } },
  { name: 'source goes on one record too far', edits: [], around: { source: hastySource } },
  { name: 'source goes on one record short', edits: [], around: { source: repeatingSource } },
  {
    name: 'watermark not restored',
    edits: [
      { module: 'runtime/engine/source-time', find: 'this.mark = Number(mark);', replace: '' },
      {
        module: 'runtime/engine/source-time',
        find: 'time.restore(restored);',
        replace: ';',
      },
      // Windows keep in their state, too, up to when they have fired: alone, the above does no harm.
      {
        module: 'state/heap-key-group-times',
        find: "if (kind !== 'rows')",
        replace: "if (kind !== 'drop')",
      },
    ],
  },
  {
    name: 'splits assigned twice after a restore',
    edits: [
      {
        module: 'runtime/job/source-assignments',
        find: 'source.createEnumerator(context, state)',
        replace: 'source.createEnumerator(context)',
      },
    ],
  },
  {
    name: 'enumerator state taken too late',
    edits: [
      {
        module: 'runtime/job/split-assignment',
        find: 'this.enumerated = jsonCopy(enumerator.snapshot());',
        // Halfway to the next look for splits.
        replace: `${afterMs(500)} this.enumerated = jsonCopy(enumerator.snapshot());`,
      },
    ],
  },
  {
    name: 'enumerator state taken ahead of the assignment',
    edits: [
      {
        module: 'runtime/job/split-assignment',
        find: 'const found = await this.guard(() => enumerator.discover());',
        replace: `const found = await this.guard(() => enumerator.discover()); this.enumerated = jsonCopy(enumerator.snapshot()); ${afterMs(20)}`,
      },
    ],
  },
  { name: 'sink publishes before the commit', edits: [], around: { sink: eagerSink } },
  { name: 'sink forgets what was prepared', edits: [], around: { sink: forgetfulSink } },
  {
    name: "sink's prepared output dropped at an abort",
    edits: [
      {
        module: 'testing/simulation/simulated-sinks',
        find: 'this.unpublished.push({ checkpoint, id });',
        replace: 'this.unpublished = [{ checkpoint, id }];',
      },
    ],
  },
];
