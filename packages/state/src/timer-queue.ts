/** What the queue orders: by time, then by the order in which they were set. */
export interface QueuedTimer {
  readonly atMs: number;
  readonly sequence: number;
}

/**
 * A binary heap, earliest first. The times lie side by side in an array of their own, so that most
 * comparisons touch no object.
 */
export class TimerQueue<T extends QueuedTimer> {
  private readonly times: number[] = [];
  private readonly timers: T[] = [];

  get length(): number {
    return this.timers.length;
  }

  /** The earliest; undefined when there is none. */
  peek(): T | undefined {
    return this.timers[0];
  }

  push(timer: T): void {
    const { times, timers } = this;
    let at = timers.length;
    times.push(timer.atMs);
    timers.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isEarlier(timer, parent)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(timer, at);
  }

  /** Removes the earliest. */
  shift(): void {
    const { times, timers } = this;
    const last = timers.pop();
    times.pop();
    if (last !== undefined && timers.length > 0) this.sink(last, 0);
  }

  /** Removes all but those for which `isKept` holds, in time that grows with how many there were. */
  keep(isKept: (timer: T) => boolean): void {
    const { times, timers } = this;
    let kept = 0;
    for (const timer of timers) {
      if (!isKept(timer)) continue;
      this.put(timer, kept);
      kept += 1;
    }
    times.length = kept;
    timers.length = kept;
    for (let at = (kept >> 1) - 1; at >= 0; at -= 1) this.sink(timers[at]!, at);
  }

  /** Puts a timer at a place, or below it where earlier ones are. */
  private sink(timer: T, place: number): void {
    const { timers } = this;
    const { length } = timers;
    let at = place;
    for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && this.isEarlier(timers[child + 1]!, child)) child += 1;
      if (this.isEarlier(timer, child)) break;
      this.move(child, at);
      at = child;
    }
    this.put(timer, at);
  }

  private isEarlier(timer: T, than: number): boolean {
    const difference = timer.atMs - this.times[than]!;
    return difference < 0 || (difference === 0 && timer.sequence < this.timers[than]!.sequence);
  }

  private move(from: number, to: number): void {
    this.times[to] = this.times[from]!;
    this.timers[to] = this.timers[from]!;
  }

  private put(timer: T, at: number): void {
    this.times[at] = timer.atMs;
    this.timers[at] = timer;
  }
}
