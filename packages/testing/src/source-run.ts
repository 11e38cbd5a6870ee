import type {
  Counter,
  Env,
  Source,
  SourceContext,
  SourceReader,
  Split,
  SplitEnumerator,
} from '@millrace/core/spi';

/** A record as it came. */
export interface ReadRecord {
  readonly split: string;
  /** Where it stood, as it is told in errors. */
  readonly place: string | undefined;
  readonly value: unknown;
  readonly timeMs: number | undefined;
}

/** What a checkpoint holds of a source, as it comes back from its store. */
export interface SourceCheckpoint {
  readonly enumerator: unknown;
  readonly splits: readonly Split[];
}

/** One attempt of a job that only reads a source, in the engine's order of calls. */
export class SourceRun {
  readonly reader: SourceReader<unknown>;
  private readonly enumerator: SplitEnumerator;
  private isClosed = false;

  private constructor(reader: SourceReader<unknown>, enumerator: SplitEnumerator) {
    this.reader = reader;
    this.enumerator = enumerator;
  }

  static async start(
    source: Source<unknown>,
    env: Env,
    from: SourceCheckpoint | undefined,
  ): Promise<SourceRun> {
    const context = contextOf(env);
    const enumerator = source.createEnumerator(context, from?.enumerator);
    const run = new SourceRun(source.createReader(context), enumerator);
    try {
      await run.begin(from);
    } catch (error) {
      await run.close();
      throw error;
    }
    return run;
  }

  /** The next chunk, which may be empty at the end of a split. */
  async read(max: number): Promise<readonly ReadRecord[] | 'end'> {
    for (;;) {
      const records = this.poll(max);
      if (records !== undefined) return records;
      await this.reader.available();
    }
  }

  async readAll(max = 512): Promise<readonly ReadRecord[]> {
    const all: ReadRecord[] = [];
    for (;;) {
      const part = await this.read(max);
      if (part === 'end') return all;
      all.push(...part);
    }
  }

  /** So many records, unless there are fewer. */
  async readSome(count: number): Promise<ReadRecord[]> {
    const some: ReadRecord[] = [];
    while (some.length < count) {
      const part = await this.read(Math.min(8, Math.ceil(count - some.length)));
      if (part === 'end') break;
      some.push(...part);
    }
    return some;
  }

  /** Takes what marks the ends of splits, until there is nothing to take. */
  drain(): void {
    for (;;) {
      const part = this.poll(1);
      if (part === undefined) return;
      if (part === 'end' || part.length > 0) throw new Error('there is more than was expected');
    }
  }

  checkpoint(): SourceCheckpoint {
    const own = { enumerator: this.enumerator.snapshot(), splits: this.reader.snapshot() };
    return JSON.parse(JSON.stringify(own));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.reader.close?.();
    await this.enumerator.close?.();
  }

  private async begin(from: SourceCheckpoint | undefined): Promise<void> {
    const { reader, enumerator } = this;
    await reader.open?.();
    if (from !== undefined && from.splits.length > 0) reader.addSplits(from.splits);
    for (let hasEnded = false; !hasEnded; ) {
      const { splits, end } = await enumerator.discover();
      if (splits.length > 0) reader.addSplits(splits);
      hasEnded = end;
    }
    reader.noMoreSplits();
  }

  private poll(max: number): ReadRecord[] | 'end' | undefined {
    const chunk = this.reader.poll(max);
    if (chunk === undefined || chunk === 'end') return chunk;
    const { split, values, start, count, bad = [], positionOf, timestamps } = chunk;
    if (count + bad.length > max) throw new Error(`${count} records came, of at most ${max}`);
    if (bad.length > 0) throw new Error(`a record is bad: ${String(bad[0]!.error)}`);
    const records: ReadRecord[] = [];
    for (let index = start; index < start + count; index += 1) {
      const place = positionOf?.(index);
      records.push({ split, place, value: values[index], timeMs: timestamps?.[index] });
    }
    return records;
  }
}

function contextOf(env: Env): SourceContext {
  const counters = new Map<string, Counter>();
  const counter = (name: string): Counter => {
    let value = 0;
    const made = counters.get(name) ?? {
      inc: (by = 1) => {
        value += by;
      },
      get value() {
        return value;
      },
    };
    counters.set(name, made);
    return made;
  };
  const metrics = { counter, gauge: () => undefined };
  return { operatorId: 'source', subtask: 0, parallelism: 1, env, metrics, log: env.log };
}
