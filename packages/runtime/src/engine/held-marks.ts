import type { Cursor } from './operator-cursor.js';

/**
 * Watermarks ahead of a local phase: only the last one counts, and it is given once a turn, or when
 * nothing else is to be done. So there are more records in each row that such a phase gives out, and
 * fewer looks at the rows.
 */
export class HeldMarks {
  private timeMs: number | undefined;
  private isReleased = false;
  /** What came behind the watermark, and made it go ahead. */
  private behind: Cursor;

  /** There is something to take. */
  get isDue(): boolean {
    return this.isReleased || this.behind !== undefined;
  }

  /** Gives an element of control its place: what is to be done now, if anything. */
  pass(next: NonNullable<Cursor>): Cursor {
    if (next.kind === 'watermark') {
      this.timeMs = Math.max(this.timeMs ?? -Infinity, next.time);
      return undefined;
    }
    if (!this.release()) return next;
    this.behind = next;
    return this.take();
  }

  /** The watermark is to go ahead; false when there is none that waits. */
  release(): boolean {
    if (this.timeMs === undefined || this.isReleased) return false;
    this.isReleased = true;
    return true;
  }

  /** The next thing that is due: nothing gets between a watermark and what made it go ahead. */
  take(): Cursor {
    if (this.isReleased) {
      const time = this.timeMs!;
      this.timeMs = undefined;
      this.isReleased = false;
      return { kind: 'watermark', time };
    }
    const { behind } = this;
    this.behind = undefined;
    return behind;
  }
}
