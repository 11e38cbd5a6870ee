import type { StagedBlob } from '@millrace/core/spi';
import { CommitLog, folderStores, readManifest, segmentsOf } from '@millrace/runtime/internal';
import { verifySegment } from '@millrace/state/internal';
import type { DiskStep, SimulatedDisk } from '../simulated-disk.js';
import { SimulationViolation } from './violation.js';

type CommitRecord = NonNullable<Awaited<ReturnType<CommitLog['load']>>>;

export interface CommitWatchParts {
  readonly disk: SimulatedDisk;
  readonly folder: string;
  /** The newest checkpoint whose commit any process knows of. */
  readonly told: () => number;
  /** Whether something stored was damaged. */
  readonly mayFallBack: () => boolean;
}

/**
 * Looks at the commit record each time somebody may have changed it: checkpoints are committed in
 * growing order, and each epoch has one owner.
 */
export class CommitWatch {
  /** Commits seen. */
  committed = 0;
  /** Commits of checkpoints with records that waited in channels. */
  unaligned = 0;
  private readonly disk: SimulatedDisk;
  private readonly folder: string;
  private readonly told: () => number;
  private readonly mayFallBack: () => boolean;
  private readonly owners = new Map<number, string>();
  private last: CommitRecord | undefined;
  private lastText = '';

  constructor({ disk, folder, told, mayFallBack }: CommitWatchParts) {
    this.disk = disk;
    this.folder = folder;
    this.told = told;
    this.mayFallBack = mayFallBack;
  }

  /** Id of the last checkpoint that was committed. */
  get newest(): number | undefined {
    return this.last?.checkpoint?.id;
  }

  /** For the world's disk. Rejects with a violation. */
  async onStep({ when, operation, path, process }: DiskStep): Promise<void> {
    if (when !== 'after' || operation !== 'link') return;
    if (!path.startsWith(`${this.folder}/commits`)) return;
    const record = await this.load();
    const text = JSON.stringify(record);
    if (record === undefined || text === this.lastText) return;
    const before = this.committed;
    try {
      this.check(record, process);
    } finally {
      this.last = record;
      this.lastText = text;
    }
    if (this.committed > before) await this.countUnaligned(record);
  }

  /** After a power cut a commit that nobody was told of may be gone. Rejects with a violation. */
  async afterPowerCut(): Promise<void> {
    const record = await this.load();
    this.checkNotBehind(record);
    this.last = record;
    this.lastText = JSON.stringify(record);
  }

  /** What the sinks had prepared for the last checkpoint, by their operators. */
  async prepared(): Promise<readonly { readonly operator: string; readonly prepared: unknown }[]> {
    const record = await this.load();
    if (record?.checkpoint === undefined) return [];
    return (await readManifest(this.stores().checkpoints, record.checkpoint.manifest)).sinks;
  }

  /** Reads every retained checkpoint as a restore would. Rejects with a violation. */
  async verifyRetained(): Promise<void> {
    const { checkpoints: store, meta } = this.stores();
    const record = await new CommitLog(meta).load();
    for (const entry of [record?.checkpoint, ...(record?.retained ?? [])]) {
      if (entry === undefined) continue;
      try {
        const manifest = await readManifest(store, entry.manifest);
        for (const { blob, bytes } of segmentsOf(manifest)) {
          await verifySegment((from, length) => store.read(blob, from, length), bytes);
        }
        const channels = manifest.tasks.flatMap((task) => task.channels ?? []);
        for (const { blob, bytes } of [...channels, ...manifest.sinks.flatMap(stagedIn)]) {
          if ((await store.size(blob)) !== bytes) throw new RangeError(`${blob} is not whole`);
        }
      } catch (error) {
        const detail = `checkpoint ${entry.id} cannot be restored: ${String(error)}`;
        throw new SimulationViolation('checkpoints', detail);
      }
    }
  }

  private async countUnaligned({ checkpoint }: CommitRecord): Promise<void> {
    if (checkpoint === undefined || this.mayFallBack()) return;
    const { tasks } = await readManifest(this.stores().checkpoints, checkpoint.manifest);
    if (tasks.some(({ channels }) => (channels?.batches ?? 0) > 0)) this.unaligned += 1;
  }

  private check(record: CommitRecord, process: string): void {
    const { last, owners } = this;
    const { epoch, checkpoint } = record;
    if (epoch < (last?.epoch ?? 0)) {
      const detail = `${process} wrote as owner ${epoch} although ${last?.epoch} has taken over`;
      throw new SimulationViolation('owners', detail);
    }
    const owner = owners.get(epoch) ?? process;
    if (owner !== process) {
      throw new SimulationViolation('owners', `${process} and ${owner} are owner ${epoch}`);
    }
    owners.set(epoch, process);
    this.checkNotBehind(record);
    if ((checkpoint?.id ?? 0) > (last?.checkpoint?.id ?? 0)) this.committed += 1;
  }

  /**
   * An owner may take back a commit of its own of which no answer came: nobody acted on it. Of a
   * damaged checkpoint a successor may fall back to the one before it.
   */
  private checkNotBehind(record: CommitRecord | undefined): void {
    if (this.mayFallBack()) return;
    const found = record?.checkpoint?.id ?? 0;
    const told = this.told();
    if (found >= told) return;
    const detail = `checkpoint ${told} was committed, and now ${found} is the last one`;
    throw new SimulationViolation('checkpoints', detail);
  }

  private load(): Promise<CommitRecord | undefined> {
    return new CommitLog(this.stores().meta).load();
  }

  /** The observer is no process of the world: nothing holds it up, and it is never killed. */
  private stores() {
    const storage = this.disk.process('observer');
    return folderStores({ storage, random: { next: () => 0 } }, this.folder);
  }
}

/** Output of a sink that waits in the checkpoint store. */
function stagedIn({ prepared }: { readonly prepared: unknown }): readonly StagedBlob[] {
  return (prepared as { readonly staged?: readonly StagedBlob[] } | null)?.staged ?? [];
}
