import type { Random } from '@millrace/core/spi';

type Change =
  | { readonly kind: 'write'; readonly bytes: Uint8Array; readonly atByte: number }
  | { readonly kind: 'empty' };

/** A file: what readers see, and apart from it what a power cut would leave. */
export class SimulatedFile {
  private live = new Bytes();
  private durable = new Bytes();
  private unsynced: Change[] = [];

  get length(): number {
    return this.live.length;
  }

  read(fromByte: number, length: number): Uint8Array {
    return this.live.read(fromByte, length);
  }

  write(bytes: Uint8Array, atByte: number): void {
    this.change({ kind: 'write', bytes: bytes.slice(), atByte });
  }

  empty(): void {
    if (this.length > 0) this.change({ kind: 'empty' });
  }

  sync(): void {
    for (const change of this.unsynced) this.durable.apply(change);
    this.unsynced = [];
  }

  /** As kernels do it: what could not be written counts as clean, and no later sync writes it. */
  failSync(): void {
    this.unsynced = [];
  }

  /** Each change that was not synced is lost, kept, or kept in part: any run of its bytes. */
  cutPower(random: Random): void {
    for (const change of this.unsynced) {
      const fate = random.next();
      if (fate < 1 / 3) continue;
      this.durable.apply(fate < 2 / 3 ? change : torn(change, random));
    }
    this.unsynced = [];
    this.live = this.durable.copy();
  }

  flipBit(atByte: number): void {
    this.live.flipBit(atByte);
    this.durable.flipBit(atByte);
  }

  private change(change: Change): void {
    this.live.apply(change);
    this.unsynced.push(change);
  }
}

function torn(change: Change, random: Random): Change {
  if (change.kind === 'empty') return change;
  const ends = [random, random].map(({ next }) => Math.floor(next() * (change.bytes.length + 1)));
  const [start, end] = ends.sort((a, b) => a - b) as [number, number];
  return {
    kind: 'write',
    bytes: change.bytes.subarray(start, end),
    atByte: change.atByte + start,
  };
}

class Bytes {
  length = 0;
  private buffer: Uint8Array = new Uint8Array(0);

  read(from: number, length: number): Uint8Array {
    return this.buffer.slice(from, Math.min(this.length, from + length));
  }

  apply(change: Change): void {
    if (change.kind === 'empty') {
      this.buffer = new Uint8Array(0);
      this.length = 0;
      return;
    }
    if (change.bytes.length === 0) return;
    const end = change.atByte + change.bytes.length;
    if (end > this.buffer.length) this.grow(end);
    this.buffer.set(change.bytes, change.atByte);
    this.length = Math.max(this.length, end);
  }

  copy(): Bytes {
    const copy = new Bytes();
    copy.apply({ kind: 'write', bytes: this.read(0, this.length), atByte: 0 });
    return copy;
  }

  flipBit(atByte: number): void {
    if (atByte < this.length) this.buffer[atByte]! ^= 1;
  }

  private grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, this.buffer.length * 2));
    larger.set(this.buffer);
    this.buffer = larger;
  }
}

export type SimulatedEntry = SimulatedFile | SimulatedFolder;

/** Names that change as one: both names of a rename inside a folder. */
type NameChange = readonly (readonly [name: string, entry: SimulatedEntry | undefined])[];

/** A folder: its names as everybody sees them, and apart from them those that are durable. */
export class SimulatedFolder {
  private live = new Map<string, SimulatedEntry>();
  private readonly durable = new Map<string, SimulatedEntry>();
  private unsynced: NameChange[] = [];

  get(name: string): SimulatedEntry | undefined {
    return this.live.get(name);
  }

  names(): readonly string[] {
    return [...this.live.keys()].sort();
  }

  entries(): Iterable<SimulatedEntry> {
    return this.live.values();
  }

  /** Sets names, or removes those that are set to undefined; not durable yet. */
  change(change: NameChange): void {
    applyNames(this.live, change);
    this.unsynced.push(change);
  }

  /** Makes a folder durably, or finds it. */
  makeFolder(name: string): SimulatedEntry {
    const folder = this.live.get(name) ?? new SimulatedFolder();
    this.live.set(name, folder);
    this.durable.set(name, folder);
    return folder;
  }

  sync(): void {
    for (const change of this.unsynced) applyNames(this.durable, change);
    this.unsynced = [];
  }

  /** Of the changes that were not synced any may survive, also a later one without an earlier. */
  cutPower(random: Random): void {
    for (const change of this.unsynced) {
      if (random.next() < 0.5) applyNames(this.durable, change);
    }
    this.unsynced = [];
    this.live = new Map(this.durable);
  }
}

function applyNames(names: Map<string, SimulatedEntry>, change: NameChange): void {
  for (const [name, entry] of change) {
    if (entry === undefined) names.delete(name);
    else names.set(name, entry);
  }
}
