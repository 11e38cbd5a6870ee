import { canonicalKey } from '@millrace/core/internal';
import type { AccumulatorCells, Key, KeyTable, KeyTables } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import { cellsAt, storeCells } from './fold-plain.js';
import type { SessionRef } from './session-calendar.js';
import { sessionCells } from './session-code.js';

const { start, end } = sessionCells;

export interface SessionTables {
  readonly latest: KeyTables;
  /** Keys are a session's key and its number. */
  readonly older: KeyTables;
  /** For one row at a time. */
  readonly scratch: KeyTable;
}

/** A session of a checkpoint, and its row: it may be one of a page. */
export interface RestoredSession {
  readonly session: SessionRef;
  readonly table: KeyTable;
  readonly slot: number;
}

/** A session beside its key's latest one, with its borders: it is looked for by them. */
interface OlderSession extends SessionRef {
  startMs: number;
  endMs: number;
}

/**
 * The rows of open sessions. A key's latest session is found by its key; older ones, of which there
 * are few (records out of order, or sessions kept for late records), by number.
 */
export class SessionRows {
  readonly latest: KeyTable;
  /** For one row at a time. */
  readonly scratch: KeyTable;
  private readonly older: KeyTable;
  private readonly olderOf = new Map<unknown, OlderSession[]>();
  private nextNumber = 0;
  private readonly tables: SessionTables;

  constructor(tables: SessionTables) {
    this.tables = tables;
    this.latest = tables.latest.open();
    this.older = tables.older.open();
    this.scratch = tables.scratch;
  }

  /** Whether rows may be outside memory. */
  get spills(): boolean {
    return this.tables.latest.prefetch !== undefined;
  }

  /** Loads the latest sessions of the keys `from … to`, where they are outside memory. */
  prefetchKeys(keys: readonly Key[], from: number, to: number): Promise<void> | undefined {
    return this.tables.latest.prefetch?.(this.latest, keys, from, to);
  }

  /** Loads these sessions, where they are outside memory. */
  prefetch(sessions: readonly SessionRef[]): Promise<void> | undefined {
    const keys = sessions.flatMap(({ key, number }) => (number === undefined ? [key] : []));
    const older = sessions.flatMap(({ key, number }) =>
      number === undefined ? [] : [[key, number]],
    );
    const loads = [
      this.prefetchKeys(keys, 0, keys.length),
      this.tables.older.prefetch?.(this.older, older as readonly Key[], 0, older.length),
    ];
    return loads.some((load) => load !== undefined)
      ? Promise.all(loads).then(() => undefined)
      : undefined;
  }

  /** All sessions, after the tables were restored from a checkpoint. */
  async *restore(): AsyncIterable<RestoredSession> {
    const { tables, latest, older } = this;
    for await (const { table, slot } of allRows(tables.latest, latest)) {
      yield { session: { key: table.keyAt(slot), number: undefined }, table, slot };
    }
    for await (const { table, slot } of allRows(tables.older, older)) {
      const [key, number] = table.keyAt(slot) as readonly [Key, number];
      this.nextNumber = Math.max(this.nextNumber, number + 1);
      const at = slot * table.numberStride;
      const { [at + start]: startMs = 0, [at + end]: endMs = 0 } = table.numbers;
      const session = { key, number, startMs, endMs };
      this.addOlder(session);
      yield { session, table, slot };
    }
  }

  get size(): number {
    return this.latest.size + this.older.size;
  }

  /** Where a session's row is; slot −1 when it is gone. */
  find({ key, number }: SessionRef): { readonly table: KeyTable; readonly slot: number } {
    if (number === undefined) return { table: this.latest, slot: this.latest.find(key) };
    return { table: this.older, slot: this.older.find([key, number]) };
  }

  /** Whether the key has any session. */
  has(key: Key): boolean {
    if (this.latest.find(key) >= 0) return true;
    return this.olderOf.size > 0 && this.olderOf.has(canonicalKey(key));
  }

  /** Whether the key has no session beside its latest one. */
  isAlone(key: Key): boolean {
    return this.olderOf.size === 0 || !this.olderOf.has(canonicalKey(key));
  }

  /**
   * Where results are made of a session: a row that has the session's key, not its number. To make
   * one may be to call functions of the author's.
   */
  shown(session: SessionRef): { readonly table: KeyTable; readonly slot: number } {
    const found = this.find(session);
    if (session.number === undefined) return found;
    this.scratch.clear();
    const slot = this.scratch.slot(session.key);
    storeCells(this.scratch, slot, cellsAt(found.table, found.slot));
    return { table: this.scratch, slot };
  }

  /** The key's sessions that overlap or touch `from … to`, earliest first. */
  touching(key: Key, from: number, to: number): readonly SessionRef[] {
    const touched: OlderSession[] = [];
    const older = this.olderOf.size === 0 ? undefined : this.olderOf.get(canonicalKey(key));
    if (older !== undefined) {
      for (const session of older) {
        if (session.startMs <= to && session.endMs >= from) touched.push(session);
      }
    }
    const slot = this.latest.find(key);
    const at = slot * this.latest.numberStride;
    const { [at + start]: startMs = Infinity, [at + end]: endMs = -Infinity } = this.latest.numbers;
    // The latest one ends last, and sessions do not overlap: it is the last one here, too.
    touched.sort((a, b) => a.startMs - b.startMs);
    const touchesLatest = slot >= 0 && startMs <= to && endMs >= from;
    return touchesLatest ? [...touched, { key, number: undefined }] : touched;
  }

  /** The row of a session has other borders now, within which it touches no other one. */
  move(session: SessionRef, startMs: number, endMs: number): void {
    const { table, slot } = this.find(session);
    const at = slot * table.numberStride;
    touchRow(table, slot);
    table.numbers[at + start] = startMs;
    table.numbers[at + end] = endMs;
    if (session.number !== undefined) Object.assign(session, { startMs, endMs });
  }

  remove(session: SessionRef): void {
    const { key, number } = session;
    if (number === undefined) {
      this.latest.remove(this.latest.find(key));
      return;
    }
    this.older.remove(this.older.find([key, number]));
    const id = canonicalKey(key);
    const rest = this.olderOf.get(id)!.filter((other) => other.number !== number);
    if (rest.length === 0) this.olderOf.delete(id);
    else this.olderOf.set(id, rest);
  }

  /**
   * Adds a session; the key's latest one is the one that ends last. Returns the sessions whose
   * place is new: the added one, then the one it displaced, if any.
   */
  insert(key: Key, cells: AccumulatorCells): readonly [SessionRef, ...SessionRef[]] {
    const slot = this.latest.find(key);
    const moved: SessionRef[] = [];
    if (slot >= 0) {
      const current = cellsAt(this.latest, slot);
      if (current.numbers[current.n + end]! >= cells.numbers[cells.n + end]!) {
        return [this.insertOlder(key, cells)];
      }
      moved.push(this.insertOlder(key, current));
    }
    const place = this.latest.slot(key);
    touchRow(this.latest, place);
    storeCells(this.latest, place, cells);
    return [{ key, number: undefined }, ...moved];
  }

  private insertOlder(key: Key, cells: AccumulatorCells): SessionRef {
    const { numbers, n } = cells;
    const session: OlderSession = {
      key,
      number: this.nextNumber,
      startMs: numbers[n + start]!,
      endMs: numbers[n + end]!,
    };
    this.nextNumber += 1;
    storeCells(this.older, this.older.slot([key, session.number!]), cells);
    this.addOlder(session);
    return session;
  }

  private addOlder(session: OlderSession): void {
    const id = canonicalKey(session.key);
    const others = this.olderOf.get(id);
    if (others === undefined) this.olderOf.set(id, [session]);
    else others.push(session);
  }
}

/** The rows in memory, then those outside. */
async function* allRows(
  tables: KeyTables,
  table: KeyTable,
): AsyncIterable<{ readonly table: KeyTable; readonly slot: number }> {
  // Asked for first: from then on no row of the table leaves memory.
  const pages = tables.outsidePages?.(table);
  yield* rowsIn(table);
  if (pages === undefined) return;
  for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
    yield* rowsIn(page.value);
  }
}

function* rowsIn(table: KeyTable): Iterable<{ readonly table: KeyTable; readonly slot: number }> {
  for (let slot = 0; slot < table.high; slot += 1) if (table.isLive(slot)) yield { table, slot };
}
