import type { PlantedBug } from './planted-bug.js';

const coordinator = 'runtime/checkpoint/coordinator';
const metaStore = 'runtime/checkpoint/folder-meta-store';

/** Who commits what, and when; and what is kept of it. */
export const checkpointBugs: readonly PlantedBug[] = [
  {
    name: 'acknowledgement of an older checkpoint accepted',
    edits: [
      // As from another worker; by itself this does no harm.
      {
        module: 'runtime/job/attempt',
        find: 'acknowledged: (...acknowledged) => coordinator?.acknowledge(...acknowledged),',
        replace:
          'acknowledged: (...acknowledged) => this.parts.env.scheduler.after(40, () => coordinator?.acknowledge(...acknowledged)),',
      },
      {
        module: coordinator,
        find: "if (phase.kind !== 'collecting' || phase.checkpoint.id !== id || !phase.missing.has(task))",
        replace: "if (phase.kind !== 'collecting' || !phase.missing.has(task))",
      },
      {
        module: 'runtime/checkpoint/checkpoint-writer',
        find: 'if (checkpoint !== this.checkpoint || this.snapshots.has(task))',
        replace: 'if (this.snapshots.has(task))',
      },
    ],
  },
  {
    name: 'checkpoint committed although a task is missing',
    edits: [
      { module: coordinator, find: 'if (missing.size === 0)', replace: 'if (missing.size <= 1)' },
    ],
  },
  {
    name: 'sinks told ahead of the commit',
    edits: [
      {
        module: 'runtime/checkpoint/checkpoint-begin',
        find: "draft.change({ phase: { kind: 'writing', checkpoint, references } });",
        replace:
          "draft.change({ phase: { kind: 'writing', checkpoint, references } }); draft.effects.push({ kind: 'notify', checkpoint: checkpoint.id });",
      },
    ],
  },
  {
    name: 'commit record written without comparing',
    edits: [
      {
        module: metaStore,
        find: 'if ((current?.record.revision ?? 0) !== expected)',
        replace: 'if (false)',
      },
      {
        module: metaStore,
        find: 'const revision = expected + 1;',
        replace: 'const revision = (current?.record.revision ?? 0) + 1;',
      },
    ],
  },
  {
    name: 'successor does not stamp the commit record',
    edits: [
      {
        module: 'runtime/checkpoint/take-over',
        find: '    await log.write(record);',
        replace: '    if (before === undefined) await log.write(record);',
      },
    ],
  },
  {
    name: 'manifest not verified',
    edits: [
      {
        module: 'runtime/checkpoint/manifest-io',
        find: '    await verifyBlob(store, ref);',
        replace: '',
      },
    ],
  },
  {
    name: 'segments not verified ahead of a restore',
    edits: [
      {
        module: 'runtime/checkpoint/take-over',
        find: 'await verifyBlob(ref);',
        replace: ';',
      },
      // Whoever reads a block looks at its checksum once more.
      {
        module: 'state/segment/segment-reader',
        find: 'if (crc32(framed.subarray(frameBytes)) !== crc)',
        replace: 'if (false)',
      },
    ],
  },
  {
    name: "retained checkpoint's blobs deleted",
    edits: [
      {
        module: 'runtime/checkpoint/retention',
        find: '...retention.retained.flatMap(',
        replace: '...retention.retained.slice(0, 1).flatMap(',
      },
    ],
  },
  {
    name: 'blobs of an aborted checkpoint deleted although a chain has them',
    edits: [
      {
        module: 'runtime/checkpoint/retention',
        find: '...[...retention.chains.values()].flatMap(({ blobs }) => blobs),',
        replace: '',
      },
    ],
  },
  {
    name: 'changes of an aborted snapshot lost',
    edits: [
      {
        module: 'runtime/engine/task-snapshots',
        find: 'if (running.operators > 0)',
        replace: 'if (false)',
      },
    ],
  },
];
