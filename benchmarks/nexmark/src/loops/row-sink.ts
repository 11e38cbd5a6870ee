/** Takes result rows. */
export interface RowSink {
  /**
   * Takes the first `count` rows and their times (epoch ms). Both arrays belong to the caller,
   * who fills them anew after the call; the rows themselves may be kept.
   */
  write(rows: readonly unknown[], timestamps: Float64Array, count: number): void;
}

const rowsMax = 512;

/** Collects rows and hands them on in batches of 512. */
export class RowBuffer {
  readonly #sink: RowSink;
  readonly #rows: unknown[] = new Array(rowsMax).fill(undefined);
  readonly #timestamps = new Float64Array(rowsMax);
  #count = 0;

  constructor(sink: RowSink) {
    this.#sink = sink;
  }

  /** Adds a row with its time in epoch milliseconds. */
  push(row: unknown, timestamp: number): void {
    const count = this.#count;
    this.#rows[count] = row;
    this.#timestamps[count] = timestamp;
    this.#count = count + 1;
    if (count + 1 === rowsMax) this.flush();
  }

  /** Hands on what is there. */
  flush(): void {
    if (this.#count === 0) return;
    this.#sink.write(this.#rows, this.#timestamps, this.#count);
    this.#count = 0;
  }
}

/** Counts rows and drops them. */
export class CountingSink implements RowSink {
  count = 0;

  write(_rows: readonly unknown[], _timestamps: Float64Array, count: number): void {
    this.count += count;
  }
}

/** Keeps rows, for tests and checks. */
export class CollectingSink implements RowSink {
  readonly rows: unknown[] = [];

  write(rows: readonly unknown[], _timestamps: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) this.rows.push(rows[i]);
  }
}
