import { Signal } from './signal.js';

/** Where a reader takes items from that arrive by themselves. */
export interface ReadAheadOptions {
  /** Items held at most; the iterable is asked for no more before some are taken. */
  readonly itemsMax: number;
  /** Called when there is an item, the end or a failure. */
  readonly wake: () => void;
}

/** Asks an async iterable for items ahead of their use, up to a bound. Starts at once. */
export class ReadAhead<T> {
  private items: T[] = [];
  private hasFailed = false;
  private failure: unknown;
  private isClosed = false;
  private isDone = false;
  private isAsking = false;
  private readonly room = new Signal();
  private readonly options: ReadAheadOptions;
  private readonly iterator: AsyncIterator<T>;

  constructor(iterable: AsyncIterable<T>, options: ReadAheadOptions) {
    this.options = options;
    this.iterator = iterable[Symbol.asyncIterator]();
    this.run().catch((error: unknown) => {
      this.isAsking = false;
      this.hasFailed = true;
      this.failure = error;
      options.wake();
    });
  }

  /** Whether there is an item to take, the end has come, or `take` would throw. */
  get isReady(): boolean {
    return this.items.length > 0 || this.isDone || this.hasFailed;
  }

  /** All items have been taken, and no more come. */
  get hasEnded(): boolean {
    return this.isDone && this.items.length === 0;
  }

  /**
   * At most `max` items in a fresh array.
   *
   * @throws what the iterable threw, once the items before it have been taken
   */
  take(max: number): T[] {
    if (this.items.length === 0 && this.hasFailed) throw this.failure;
    const taken = this.items.splice(0, max);
    this.room.notify();
    return taken;
  }

  /** Ends the iteration early; does not wait for an item that may never come. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.room.notify();
    const returned = this.iterator.return?.();
    if (!this.isAsking) await returned;
    else returned?.catch(() => {});
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      if (this.items.length >= this.options.itemsMax) {
        await this.room.wait();
        continue;
      }
      this.isAsking = true;
      const next = await this.iterator.next();
      this.isAsking = false;
      if (next.done === true) this.isDone = true;
      else this.items.push(next.value);
      this.options.wake();
      if (this.isDone) return;
    }
  }
}
