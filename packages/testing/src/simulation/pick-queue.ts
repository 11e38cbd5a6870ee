import type { WorldProcess } from './world-process.js';

/** Something that happens when the world picks it. */
export interface Pending {
  readonly process: WorldProcess;
  /** What it is, with its process. */
  readonly label: string;
  /** Earliest time, ms of the world. */
  readonly atMs: number;
  /** Order in which things were begun. */
  readonly sequence: number;
  readonly action: () => void;
  state: 'waiting' | 'gone';
}

/** What waits for its time: a binary heap by time, then by order. */
export class TimeQueue {
  private readonly heap: Pending[] = [];

  /** ms of the world; +∞ when nothing waits. */
  get nextMs(): number {
    return this.heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  push(pending: Pending): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(pending);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(pending, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = pending;
  }

  pop(): Pending | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    this.sink(last);
    return first;
  }

  private sink(pending: Pending): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, pending)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = pending;
  }
}

const isBefore = (a: Pending, b: Pending): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
