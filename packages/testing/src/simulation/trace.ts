import { hashText } from './seeded-random.js';

/** A moment of a simulation. */
export interface TraceEntry {
  /** Number of the pick, from 1; notes have that of the pick before them. */
  readonly pick: number;
  /** Virtual time, ms from the start. */
  readonly atMs: number;
  readonly label: string;
}

/** Entries that are kept for a timeline: enough to see what led to the end. */
const entriesMax = 500;

/** All picks of a run as one hash, and the last of them as they were. */
export class Trace {
  picks = 0;
  private high = 0x6a09e667;
  private low = 0xbb67ae85;
  private readonly ring: TraceEntry[] = [];
  private readonly notes: TraceEntry[] = [];

  pick(label: string, atMs: number): void {
    this.picks += 1;
    this.mix(label, atMs);
    this.ring[this.picks % entriesMax] = { pick: this.picks, atMs, label };
  }

  /** What the world did, or saw, between two picks. Notes are kept apart: there are few. */
  note(label: string, atMs: number): void {
    this.mix(label, atMs);
    if (this.notes.length < entriesMax) this.notes.push({ pick: this.picks, atMs, label });
  }

  /** Of everything so far, 16 digits in hexadecimal. */
  get hash(): string {
    return [this.high, this.low].map((word) => word.toString(16).padStart(8, '0')).join('');
  }

  /** What was noted, oldest first: without the picks. */
  get noted(): readonly TraceEntry[] {
    return this.notes;
  }

  /** The notes of the whole run and the last picks, oldest first. */
  timeline(): readonly TraceEntry[] {
    const picks = this.ring.filter((entry) => entry !== undefined);
    return [...this.notes, ...picks].sort((a, b) => a.pick - b.pick || a.atMs - b.atMs);
  }

  private mix(label: string, atMs: number): void {
    const word = hashText(this.high ^ this.picks, label);
    const time = Math.round(atMs * 1_000);
    this.high = Math.imul(this.high ^ word, 0x85ebca6b) >>> 0;
    this.low = (Math.imul(this.low ^ (time | 0) ^ this.high, 0xc2b2ae35) ^ (word >>> 7)) >>> 0;
  }
}
