/** A record of the property tests. */
export interface Rec {
  readonly key: number;
  readonly at: number;
  readonly v: number;
}

/** A result as the tests compare it. */
export interface Expected {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly n: number;
  readonly sum: number;
  readonly pane: number;
  readonly timing: 'onTime' | 'late';
}

export type ModelAssigner =
  | {
      readonly kind: 'aligned';
      readonly size: number;
      readonly slide: number;
      readonly offset: number;
    }
  | { readonly kind: 'session'; readonly gap: number };

interface OpenWindow {
  readonly key: number;
  start: number;
  end: number;
  records: Rec[];
  panes: number;
  /** With its present borders. */
  isFired: boolean;
}

/**
 * Windows as slowly and plainly as can be: every window keeps its records, and after each record
 * all windows are looked at. The watermark moves behind each record, in steps of 1 ms.
 */
export class WindowModel {
  readonly results: Expected[] = [];
  readonly late: Rec[] = [];
  private windows: OpenWindow[] = [];
  private watermark = -Infinity;
  private highest = -Infinity;
  private readonly assigner: ModelAssigner;
  private readonly bound: number;
  private readonly lateness: number;

  constructor(assigner: ModelAssigner, bound: number, lateness: number) {
    this.assigner = assigner;
    this.bound = bound;
    this.lateness = lateness;
  }

  add(record: Rec): void {
    if (this.assigner.kind === 'session') this.addToSession(record, this.assigner.gap);
    else this.addToAligned(record, this.assigner);
    this.highest = Math.max(this.highest, record.at);
    this.advance(this.highest - this.bound);
  }

  advance(watermark: number): void {
    this.watermark = Math.max(this.watermark, watermark);
    const due = this.windows.filter((w) => !w.isFired && this.isPast(w.end));
    for (const window of due) this.fire(window, 'onTime');
    this.windows = this.windows.filter((w) => !this.isPast(w.end + this.lateness));
  }

  /** A session may still be continued at its very end, an aligned window not. */
  private isPast(end: number): boolean {
    return this.assigner.kind === 'session' ? end < this.watermark : end <= this.watermark;
  }

  private addToAligned(
    record: Rec,
    { size, slide, offset }: ModelAssigner & { kind: 'aligned' },
  ): void {
    let isLate = true;
    for (let start = offset - 100 * slide; start <= record.at; start += slide) {
      if (record.at >= start + size || this.isPast(start + size + this.lateness)) continue;
      isLate = false;
      let window = this.windows.find((w) => w.key === record.key && w.start === start);
      if (window === undefined) {
        window = {
          key: record.key,
          start,
          end: start + size,
          records: [],
          panes: 0,
          isFired: false,
        };
        this.windows.push(window);
      }
      window.records.push(record);
      if (this.isPast(window.end)) this.fire(window, 'late');
    }
    if (isLate) this.late.push(record);
  }

  private addToSession(record: Rec, gap: number): void {
    const merged: OpenWindow = {
      key: record.key,
      start: record.at,
      end: record.at + gap,
      records: [],
      panes: 0,
      isFired: false,
    };
    const touched = this.windows.filter(
      (w) => w.key === record.key && w.start <= merged.end && w.end >= merged.start,
    );
    for (const window of touched) {
      merged.start = Math.min(merged.start, window.start);
      merged.end = Math.max(merged.end, window.end);
      merged.panes = Math.max(merged.panes, window.panes);
      merged.records.push(...window.records);
    }
    if (this.isPast(merged.end + this.lateness)) {
      this.late.push(record);
      return;
    }
    merged.records.push(record);
    this.windows = [...this.windows.filter((w) => !touched.includes(w)), merged];
    if (this.isPast(merged.end)) this.fire(merged, 'late');
  }

  private fire(window: OpenWindow, timing: 'onTime' | 'late'): void {
    const { key, start, end, records } = window;
    const sum = records.reduce((total, { v }) => total + v, 0);
    this.results.push({ key, start, end, n: records.length, sum, pane: window.panes, timing });
    window.panes += 1;
    window.isFired = true;
  }
}
