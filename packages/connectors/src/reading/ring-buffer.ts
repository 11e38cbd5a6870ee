/** A queue of a fixed size that does not move its items. */
export class RingBuffer<T> {
  size = 0;
  private readonly items: (T | undefined)[] = [];
  private readonly capacity: number;
  private head = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get isFull(): boolean {
    return this.size === this.capacity;
  }

  /** Adds an item; there must be room. */
  push(item: T): void {
    // The array grows to its capacity only as far as it is needed.
    this.items[(this.head + this.size) % this.capacity] = item;
    this.size += 1;
  }

  /** The oldest items, at most `max`, in a fresh array. */
  take(max: number): T[] {
    const taken: T[] = [];
    while (taken.length < max && this.size > 0) {
      taken.push(this.items[this.head] as T);
      // What has left must not be kept alive from here.
      this.items[this.head] = undefined;
      this.head = (this.head + 1) % this.capacity;
      this.size -= 1;
    }
    return taken;
  }
}
