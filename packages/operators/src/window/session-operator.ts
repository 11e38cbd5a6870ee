import {
  type Key,
  type KeyGroupTimes,
  type KeyTable,
  type Operator,
  type OperatorContext,
  type Outputs,
  type Prefetch,
  type Progress,
  type RecordBatch,
  RecordFailure,
  type RecordLoop,
  touchRow,
} from '@millrace/core/spi';
import { detailOf, Firing } from './firing.js';
import { type Fold, shapeOf, withReserved } from './fold.js';
import { cellsAt } from './fold-plain.js';
import { LateRecords } from './late-records.js';
import { type Marks, marksOf } from './marks.js';
import { type RowCode, rowCodeOf } from './row-code.js';
import { type OpenBucket, SessionCalendar, type SessionRef } from './session-calendar.js';
import {
  type AddRow,
  addRowOf,
  lastMsOf,
  type PartialSession,
  paneAt,
  plainSessionLoop,
  type SessionAddition,
  type SessionRecord,
  type SessionTarget,
  sessionCells,
  sessionLoopOf,
  sessionNumbers,
} from './session-code.js';
import { jointOf, mergeTouched } from './session-joint.js';
import { type RestoredSession, SessionRows } from './session-rows.js';
import { trackingOf } from './tracking.js';

export interface SessionSpec {
  readonly gapMs: number;
  readonly latenessMs: number;
  readonly fold: Fold;
}

const { start, end, nextPane, bucket } = sessionCells;

/** Sessions that are loaded ahead of a call. */
const lookAheadSessions = 512;

/**
 * Session windows: a window for each burst of a key's records, ending `gap` after the last of them.
 *
 * Law: sessions that touch merge, so a session fires when the watermark is *beyond* its end: a
 * record at exactly the end would still have continued it.
 */
export class SessionWindowOperator implements Operator, SessionTarget {
  readonly gapMs: number;
  readonly marks: Marks;
  readonly latest: KeyTable;
  private readonly rows: SessionRows;
  private readonly calendar: SessionCalendar;
  private readonly fold: Fold;
  private readonly context: OperatorContext;
  private readonly addRow: AddRow;
  private add: Operator['processBatch'] | undefined;
  private readonly rowCode: RowCode;
  private readonly firing: Firing;
  private readonly lateRecords: LateRecords;
  private readonly latenessMs: number;
  private readonly firedTimes: KeyGroupTimes;
  private watermark = -Infinity;
  private openBucket: OpenBucket | undefined;
  private fired: SessionRef | undefined;
  /** It was to be fired, and no row to show of it could be made. */
  private unshown: SessionRef | undefined;
  private lookedAt: SessionRef[] = [];

  constructor(spec: SessionSpec, context: OperatorContext) {
    const fold = withReserved(spec.fold, sessionNumbers);
    this.gapMs = spec.gapMs;
    this.latenessMs = spec.latenessMs;
    const table = { ...fold.row, shape: shapeOf(fold), namespaceLength: 0 };
    this.rows = new SessionRows({
      latest: context.keyTables('sessions', table),
      older: context.keyTables('older', { ...table, keyedBy: 'first' }),
      scratch: context.scratchTable(fold.row),
    });
    this.firedTimes = context.keyGroupTimes('fired');
    this.marks = marksOf(context, spec.latenessMs);
    this.latest = this.rows.latest;
    this.calendar = new SessionCalendar(spec.gapMs);
    this.fold = fold;
    this.context = context;
    this.addRow = addRowOf(fold, context);
    if (context.codegen === 'off') this.add = plainSessionLoop(fold, this, context.operatorId);
    this.rowCode = rowCodeOf(fold, context);
    this.firing = new Firing(fold, this.rowCode, context);
    this.lateRecords = new LateRecords(context);
    context.metrics.gauge('windowRows', () => this.rows.size);
  }

  async open(): Promise<void> {
    this.watermark = this.firedTimes.highest;
    for await (const restored of this.rows.restore()) this.registerAgain(restored);
  }

  prefetch(next: Prefetch): Promise<void> | undefined {
    if (!this.rows.spills) return undefined;
    if (next.kind === 'watermark') return this.prefetchDue(next.timeMs);
    const { keys, count } = next.batch;
    return keys && this.rows.prefetchKeys(keys, next.from, count);
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs): number {
    this.add ??= this.context.compileRecordLoop(this.recordLoop());
    return this.add(batch, from, out, 0);
  }

  recordLoop(): RecordLoop {
    return sessionLoopOf(this.fold, this, trackingOf(this.context));
  }

  takeElsewhere(record: SessionRecord, out: Outputs): void {
    this.takeAny(record, out);
  }

  /** No session that ends before is begun any more, where there are no late panes. */
  get watermarkMs(): number {
    return this.watermark;
  }

  isAlone(key: Key): boolean {
    return this.rows.isAlone(key);
  }

  /** The key's latest session has been begun by somebody else. */
  began(key: Key): void {
    this.register({ key, number: undefined });
  }

  /** Takes what stands for several records; for operators without late panes. */
  takePartial(partial: PartialSession, out: Outputs): void {
    this.takeAny(partial, out);
  }

  private takeAny(addition: SessionAddition, out: Outputs): void {
    if (!this.rows.has(addition.key)) this.takeFirst(addition, out);
    else if (!this.joinOne(addition)) this.takeBeside(addition, out);
  }

  /** Adds in place to the only session that is touched; false where that is not to be. */
  private joinOne(addition: SessionAddition): boolean {
    const additionEndMs = lastMsOf(addition) + this.gapMs;
    const joint = jointOf(this.rows, addition, additionEndMs);
    if (joint === undefined) return false;
    const { session, table, slot, startMs, endMs } = joint;
    // Throws, if at all, before the session has changed.
    this.addTo('merged', table, slot, addition);
    this.rows.move(session, startMs, endMs);
    return true;
  }

  /** Begins the first session of a key. */
  private takeFirst(addition: SessionAddition, out: Outputs): void {
    const { key, timestamp } = addition;
    const endMs = lastMsOf(addition) + this.gapMs;
    if (endMs + this.latenessMs < this.watermark) {
      this.takeLate(addition, out);
      return;
    }
    const { latest } = this;
    const slot = latest.slot(key);
    try {
      this.addTo('new', latest, slot, addition);
      const at = slot * latest.numberStride;
      latest.numbers[at + start] = timestamp;
      latest.numbers[at + end] = endMs;
      if (endMs < this.watermark) this.fireLate(latest, slot, out);
    } catch (error) {
      latest.remove(slot);
      throw error;
    }
    this.register({ key, number: undefined });
  }

  /** Merges what the addition's own session touches, and makes that the key's new session. */
  private takeBeside(addition: SessionAddition, out: Outputs): void {
    const { key, timestamp } = addition;
    const touched = this.rows.touching(key, timestamp, lastMsOf(addition) + this.gapMs);
    const merged = mergeTouched(this.rows, this.rowCode, addition, touched, this.gapMs);
    const { scratch } = this.rows;
    if (scratch.numbers[end]! + this.latenessMs < this.watermark) {
      this.takeLate(addition, out);
      return;
    }
    // Throws, if at all, before any session has changed.
    this.addTo(touched.length === 0 ? 'new' : 'merged', scratch, merged, addition);
    if (scratch.numbers[end]! < this.watermark) this.fireLate(scratch, merged, out);
    for (const session of touched) this.rows.remove(session);
    const placed = this.rows.insert(key, cellsAt(scratch, merged));
    for (const session of placed) this.register(session);
  }

  private addTo(
    row: 'new' | 'merged',
    table: KeyTable,
    slot: number,
    addition: SessionAddition,
  ): void {
    if ('inputs' in addition) this.addRow(table, slot, addition.inputs);
    else if (row === 'new') addition.storeIn(table, slot);
    else addition.mergeInto(table, slot);
  }

  private takeLate(addition: SessionAddition, out: Outputs): void {
    const { key, timestamp } = addition;
    if ('records' in addition) this.lateRecords.drop(addition.records, key, timestamp);
    else this.lateRecords.take(addition.value, key, timestamp, out);
  }

  retryFiring(): void {
    if (this.unshown === undefined) this.firing.stepBack();
    else this.openBucket!.next -= 1;
    this.unshown = undefined;
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    this.watermark = Math.max(this.watermark, timeMs);
    if (this.unshown !== undefined) this.markFired(this.unshown);
    for (;;) {
      if (this.firing.resume(out) === 'more') return 'more';
      this.afterFiring();
      this.openBucket ??= this.calendar.takeBefore(this.watermark);
      if (this.openBucket === undefined) return this.endOfAdvance();
      // The next ones are loaded ahead of the next call.
      if (this.rows.spills && this.openBucket.next >= this.openBucket.loaded) return 'more';
      const session = this.openBucket.sessions[this.openBucket.next];
      this.openBucket.next += 1;
      if (session === undefined) this.openBucket = undefined;
      else this.lookAt(session, this.openBucket.bucket);
    }
  }

  /** Loads the sessions that the next call looks at. */
  private prefetchDue(timeMs: number): Promise<void> | undefined {
    this.openBucket ??= this.calendar.takeBefore(Math.max(this.watermark, timeMs));
    if (this.openBucket === undefined) return undefined;
    const { sessions, next } = this.openBucket;
    // One more than there are: that one says that the bucket is done.
    this.openBucket.loaded = Math.min(sessions.length + 1, next + lookAheadSessions);
    return this.rows.prefetch(sessions.slice(next, this.openBucket.loaded));
  }

  private endOfAdvance(): Progress {
    for (const session of this.lookedAt) this.register(session);
    this.lookedAt = [];
    this.firedTimes.advance(this.watermark);
    return 'done';
  }

  private lookAt(session: SessionRef, inBucket: number): void {
    const { table, slot } = this.rows.find(session);
    if (slot < 0) return;
    const cells = table.numbers;
    const at = slot * table.numberStride;
    if (cells[at + bucket] !== inBucket) return;
    // Not back into the calendar at once: its bucket may be this one, for ever.
    if (this.dueAt(cells, at) >= this.watermark) this.lookedAt.push(session);
    else if (cells[at + nextPane]! <= 0) this.fire(session);
    else this.rows.remove(session);
  }

  private fire(session: SessionRef): void {
    const { table, slot } = this.rows.find(session);
    const { index, window } = paneAt(table, slot);
    try {
      const { table: rows, slot: from } = this.rows.shown(session);
      this.firing.start({ rows, window, pane: { index, timing: 'onTime' }, from, to: from + 1 });
    } catch (error) {
      this.unshown = session;
      throw new RecordFailure(-1, this.context.operatorId, error, detailOf(session.key, window));
    }
    this.markFired(session);
  }

  private markFired(session: SessionRef): void {
    const { table, slot } = this.rows.find(session);
    touchRow(table, slot);
    table.numbers[slot * table.numberStride + nextPane] = paneAt(table, slot).index + 1;
    this.unshown = undefined;
    this.fired = session;
  }

  /** Fires a session that is not in its place yet: where that fails, no session has changed. */
  private fireLate(rows: KeyTable, slot: number, out: Outputs): void {
    const { index, window } = paneAt(rows, slot);
    this.firing.start({ rows, window, pane: { index, timing: 'late' }, from: slot, to: slot + 1 });
    this.firing.finish(out);
    rows.numbers[slot * rows.numberStride + nextPane] = index + 1;
  }

  private afterFiring(): void {
    const session = this.fired;
    if (session === undefined) return;
    this.fired = undefined;
    // Not left to the next advance: until then a record in time would go on with it.
    if (this.isExpired(session)) this.rows.remove(session);
    else this.lookedAt.push(session);
  }

  private isExpired(fired: SessionRef): boolean {
    const { table, slot } = this.rows.find(fired);
    return this.dueAt(table.numbers, slot * table.numberStride) < this.watermark;
  }

  /** When a session wants to be looked at: to fire, or once fired to be freed. */
  private dueAt(cells: Float64Array, at: number): number {
    return cells[at + end]! + (cells[at + nextPane]! > 0 ? this.latenessMs : 0);
  }

  private register(session: SessionRef): void {
    const { table, slot } = this.rows.find(session);
    const at = slot * table.numberStride;
    const inBucket = this.calendar.bucketOf(this.dueAt(table.numbers, at));
    if (table.numbers[at + bucket] !== inBucket) {
      // Outside memory the row would otherwise stand where it stood before.
      touchRow(table, slot);
      table.numbers[at + bucket] = inBucket;
    }
    this.calendar.add(inBucket, session);
  }

  /** Puts a session where it stood, without bringing its row into memory. */
  private registerAgain({ session, table, slot }: RestoredSession): void {
    const at = slot * table.numberStride;
    const stood = table.numbers[at + bucket]!;
    // Later than it is due: the gap was another one.
    if (stood > this.calendar.bucketOf(this.dueAt(table.numbers, at))) this.register(session);
    else this.calendar.add(stood, session);
  }
}
