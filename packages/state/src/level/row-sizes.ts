import type { HeapKeyTable } from '../heap-key-table.js';
import { stateLimits } from '../limits.js';
import type { RowCodec } from './row-codec.js';

/** Steps by it spread evenly over any length, however many have been taken. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * How large references and keys of a table's rows are: the average of some of those in memory. Rows
 * on their way out or in say nothing of the others: those that stay may be the large ones.
 */
export class RowSizes {
  /** Bytes of a row, encoded; 0 where none has been looked at. */
  average = 0;
  private samples = 0;
  private steps = 0;
  private readonly table: HeapKeyTable;
  private readonly codec: RowCodec;

  constructor(table: HeapKeyTable, codec: RowCodec) {
    this.table = table;
    this.codec = codec;
  }

  get areKnown(): boolean {
    return this.samples > 0;
  }

  /** Looks at one more row, if there are any that differ; returns how many bytes it has. */
  sample(): number {
    const { table } = this;
    if (table.refStride === 0 && table.hasIntegerKeysOnly) return 0;
    const slot = this.nextSlot();
    const bytes = slot < 0 ? undefined : this.bytesOf(slot);
    if (bytes === undefined) return 0;
    this.samples = Math.min(this.samples + 1, stateLimits.spillSamplesMax);
    this.average += (bytes - this.average) / this.samples;
    return bytes;
  }

  /** All rows are gone; until others are looked at they are taken to be alike. */
  restart(): void {
    this.samples = 0;
  }

  /** Any row in memory; −1 where there is none nearby. */
  private nextSlot(): number {
    const { table } = this;
    this.steps += 1;
    const from = Math.floor(((this.steps * goldenRatio) % 1) * table.high);
    const to = Math.min(table.high, from + stateLimits.spillSampleSlots);
    for (let slot = from; slot < to; slot += 1) if (table.isLive(slot)) return slot;
    return -1;
  }

  private bytesOf(slot: number): number | undefined {
    try {
      return this.codec.valueBytes(this.table, slot);
    } catch {
      // What cannot be encoded is told when it has to be; perhaps it never has.
      return undefined;
    }
  }
}
