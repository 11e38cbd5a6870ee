import { ByteWriter, writeKey } from '@millrace/core/internal';
import { stateLimits } from './limits.js';

const nobody = -1;

/** Ahead of the canonical bytes: the slot (4 bytes) and the number of characters (1). */
const headBytes = 5;
/** The tag ahead of the characters and the zero behind them. */
const frameBytes = 2;

/** Mixes characters (Knuth's multiplicative hashing): odd and large, so that short texts differ. */
const spread = 0x9e3779b1;

const scratch = new ByteWriter();

/** Bytes that {@link TextKeys.copy} writes from where it is told to on, at the most. */
export const textKeyBytesMax: number = 4 * entryWords(stateLimits.textKeyCharsMax);

/**
 * Slots of short ASCII texts. The canonical bytes of all of them lie side by side, and a table of
 * hashes says where: finding one reads two places in memory where a `Map` reads three or four,
 * a snapshot copies bytes in the order in which they lie, and the garbage collector has nothing to
 * trace. Texts that are long or not all ASCII are not taken.
 *
 * Memory of a removed text is used for the next one of about the same length.
 */
export class TextKeys {
  size = 0;
  /** Pairs of hash and word + 1 of an entry; a word of 0 is free. */
  private cells = new Int32Array(2 * cellsInitial);
  /** Entries: slot, characters, canonical bytes; each begins at a multiple of four bytes. */
  private words = new Int32Array(wordsInitial);
  private bytes = Buffer.from(this.words.buffer);
  private wordsUsed = 0;
  /** First word of each slot's entry. */
  private places = new Int32Array(stateLimits.tableRowsInitial);
  /** First words + 1 of free entries by their length in words; each has that of the next one. */
  private readonly free = new Int32Array(entryWords(stateLimits.textKeyCharsMax) + 1);

  /** Estimate of the memory in use. */
  get memoryBytes(): number {
    return this.cells.byteLength + this.words.byteLength + this.places.byteLength;
  }

  /** The text's slot, or −1. */
  find(text: string): number {
    const { length } = text;
    let hash = 0;
    // The characters' loop is as plain as can be: finding waits for memory, and the less there is
    // to do meanwhile, the more look-ups wait at the same time.
    if (length > stateLimits.textKeyCharsMax) return nobody;
    for (let i = 0; i < length; i += 1) hash = (Math.imul(hash, spread) + text.charCodeAt(i)) | 0;
    hash = finish(hash);
    const { cells, bytes, words } = this;
    const mask = cells.length - 1;
    for (let cell = (hash << 1) & mask; ; cell = (cell + 2) & mask) {
      const place = cells[cell + 1]! - 1;
      if (place < 0) return nobody;
      if (cells[cell] !== hash) continue;
      const at = place * 4 + headBytes;
      if (bytes[at - 1] !== length) continue;
      let i = 0;
      while (i < length && bytes[at + 1 + i] === text.charCodeAt(i)) i += 1;
      if (i === length) return words[place]!;
    }
  }

  /** Takes a text that has no slot; false if it is none that is kept here. */
  insert(text: string, slot: number): boolean {
    const { length } = text;
    if (length > stateLimits.textKeyCharsMax) return false;
    scratch.reset();
    writeKey(scratch, text);
    // Characters beyond ASCII take more bytes, as does U+0000.
    if (scratch.length !== length + frameBytes) return false;
    const hash = hashOf(scratch.bytes, 1, length);
    const cell = this.freeCell(hash);
    if (cell < 0) return false;
    const place = this.take(entryWords(length));
    if (place < 0) return false;
    this.words[place] = slot;
    const at = place * 4 + headBytes;
    this.bytes[at - 1] = length;
    for (let i = 0; i < scratch.length; i += 1) this.bytes[at + i] = scratch.bytes[i]!;
    this.cells[cell] = hash;
    this.cells[cell + 1] = place + 1;
    this.setPlace(slot, place);
    this.size += 1;
    if (this.size > (this.cells.length / 2) * stateLimits.hashLoadMax) this.rehash();
    return true;
  }

  /** The text of a slot that has one. */
  textAt(slot: number): string {
    const at = this.places[slot]! * 4 + headBytes;
    return this.bytes.toString('latin1', at + 1, at + 1 + this.bytes[at - 1]!);
  }

  /**
   * Copies the canonical bytes of the key to `target`, from `at` on; returns where they end. Whole
   * words are written, which takes a third of the time: `at` is 1 at least, and what lies less than
   * {@link textKeyBytesMax} bytes behind it may be overwritten.
   */
  copy(slot: number, target: DataView, at: number): number {
    const { words, bytes } = this;
    const place = this.places[slot]!;
    const length = bytes[place * 4 + headBytes - 1]!;
    // The first word begins with the number of characters.
    const before = target.getUint8(at - 1);
    const end = place + entryWords(length);
    for (let word = place + 1, to = at - 1; word < end; word += 1, to += 4) {
      target.setInt32(to, words[word]!, true);
    }
    target.setUint8(at - 1, before);
    return at + length + frameBytes;
  }

  /** Forgets the text of a slot that has one. */
  remove(slot: number): void {
    const place = this.places[slot]!;
    const at = place * 4 + headBytes;
    const length = this.bytes[at - 1]!;
    this.unplace(hashOf(this.bytes, at + 1, length), place);
    const size = entryWords(length);
    this.words[place] = this.free[size]!;
    this.free[size] = place + 1;
    this.size -= 1;
  }

  clear(): void {
    if (this.wordsUsed === 0) return;
    this.cells.fill(0);
    this.free.fill(0);
    this.wordsUsed = 0;
    this.size = 0;
  }

  /** A free cell for a hash; −1 where too many others are in the way. */
  private freeCell(hash: number): number {
    const { cells } = this;
    const mask = cells.length - 1;
    let cell = (hash << 1) & mask;
    for (let probes = 0; probes < stateLimits.textKeyProbesMax; probes += 1) {
      if (cells[cell + 1] === 0) return cell;
      cell = (cell + 2) & mask;
    }
    return nobody;
  }

  /** Room for an entry; −1 where there is none left. */
  private take(size: number): number {
    const head = this.free[size]! - 1;
    if (head >= 0) {
      this.free[size] = this.words[head]!;
      return head;
    }
    const place = this.wordsUsed;
    if (place + size > this.words.length) {
      if (place + size > stateLimits.textKeyWordsMax) return nobody;
      const words = new Int32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
      this.bytes = Buffer.from(words.buffer);
    }
    this.wordsUsed += size;
    return place;
  }

  private setPlace(slot: number, place: number): void {
    if (slot >= this.places.length) {
      const places = new Int32Array(Math.max(slot + 1, this.places.length * 2));
      places.set(this.places);
      this.places = places;
    }
    this.places[slot] = place;
  }

  /** Frees the entry's cell and closes the gap, so that probing needs no tombstones. */
  private unplace(hash: number, place: number): void {
    const { cells } = this;
    const mask = cells.length - 1;
    let gap = (hash << 1) & mask;
    while (cells[gap + 1] !== place + 1) gap = (gap + 2) & mask;
    for (let next = (gap + 2) & mask; cells[next + 1] !== 0; next = (next + 2) & mask) {
      const home = (cells[next]! << 1) & mask;
      // Moves back unless its home lies behind the gap, on the way to where it is.
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      cells[gap] = cells[next]!;
      cells[gap + 1] = cells[next + 1]!;
      gap = next;
    }
    cells[gap + 1] = 0;
  }

  private rehash(): void {
    const { cells: old } = this;
    const cells = new Int32Array(old.length * 2);
    const mask = cells.length - 1;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      let cell = (old[from]! << 1) & mask;
      while (cells[cell + 1] !== 0) cell = (cell + 2) & mask;
      cells[cell] = old[from]!;
      cells[cell + 1] = old[from + 1]!;
    }
    this.cells = cells;
  }
}

const cellsInitial = stateLimits.tableRowsInitial / stateLimits.hashLoadMax;
const wordsInitial = 4 * stateLimits.tableRowsInitial;

/** Words of the entry of a text with so many characters. */
function entryWords(characters: number): number {
  return (headBytes + frameBytes + characters + 3) >> 2;
}

/** The hash that `find` has of a text, from its bytes. */
function hashOf(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0;
  for (let i = 0; i < length; i += 1) hash = (Math.imul(hash, spread) + bytes[from + i]!) | 0;
  return finish(hash);
}

/** Every bit of the result depends on every one of the hash (murmur3's last step, shortened). */
function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
}
