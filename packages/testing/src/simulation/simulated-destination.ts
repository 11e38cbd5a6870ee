import { SimulationViolation } from './violation.js';

/** Rows that a writer handed over, and that nobody sees before they are published. */
interface PreparedRows {
  readonly sink: string;
  readonly checkpoint: number;
  readonly rows: readonly string[];
  state: 'prepared' | 'published' | 'aborted';
}

/**
 * Where sinks write: a system of its own that outlives all processes and power cuts. It knows what
 * a writer may never do, and says so.
 */
export class SimulatedDestination {
  /** Rows as everybody sees them, by sink. */
  private readonly rows = new Map<string, string[]>();
  private readonly prepared = new Map<string, PreparedRows>();

  /** Rows of a sink in the order in which they were published. */
  published(sink: string): readonly string[] {
    return this.rows.get(sink) ?? [];
  }

  sinks(): readonly string[] {
    return [...this.rows.keys()].sort();
  }

  append(sink: string, rows: readonly string[]): void {
    const all = this.rows.get(sink) ?? [];
    this.rows.set(sink, all);
    for (const row of rows) all.push(row);
  }

  prepare(id: string, prepared: Omit<PreparedRows, 'state'>): void {
    if (this.prepared.has(id)) throw new SimulationViolation('sink', `${id} was prepared before`);
    this.prepared.set(id, { ...prepared, state: 'prepared' });
  }

  /** Publishes rows under a name; what has that name already must be the same. */
  publishOnce(id: string, sink: string, rows: readonly string[]): void {
    const before = this.prepared.get(id);
    if (before !== undefined && before.rows.join('\n') !== rows.join('\n')) {
      throw new SimulationViolation('sink', `${id} is published again with other rows`);
    }
    if (before !== undefined) return;
    this.prepare(id, { sink, checkpoint: 0, rows });
    this.publish(id);
  }

  /** Does nothing for what is published already: an answer may have been lost. */
  publish(id: string): void {
    const found = this.prepared.get(id);
    if (found === undefined) {
      throw new SimulationViolation('sink', `${id} is to be published and was never prepared`);
    }
    if (found.state === 'published') return;
    if (found.state === 'aborted') {
      throw new SimulationViolation('sink', `${id} is to be published and was thrown away`);
    }
    found.state = 'published';
    this.append(found.sink, found.rows);
  }

  /**
   * Throws away what a sink has prepared up to a checkpoint that was restored, and what that does
   * not name. Newer ones stay: they may be those of another owner, who has taken over since.
   */
  abortOthers(sink: string, needed: ReadonlySet<string>, checkpoint: number): void {
    for (const [id, found] of this.prepared) {
      if (found.sink !== sink || needed.has(id) || found.state !== 'prepared') continue;
      if (found.checkpoint <= checkpoint) found.state = 'aborted';
    }
  }

  /** Whether what was prepared under an id is seen. */
  isPublished(id: string): boolean {
    return this.prepared.get(id)?.state === 'published';
  }
}
