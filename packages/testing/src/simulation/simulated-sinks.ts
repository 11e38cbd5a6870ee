import type { RecordBatch, Sink, SinkContext, SinkWriter } from '@millrace/core/spi';
import type { SimulatedDestination } from './simulated-destination.js';
import type { WorldProcess } from './world-process.js';

export interface SimulatedSinkParts {
  readonly destination: SimulatedDestination;
  readonly process: WorldProcess;
  /** Time that a call of the destination takes, ms; drawn for each. */
  readonly delayMs: () => number;
  /** Time that taking a batch takes, ms. */
  readonly writeMs?: number | undefined;
  /** Called with what the destination throws at a writer. */
  readonly onViolation: (error: unknown) => void;
}

/** A sink that publishes each row once, by preparing it first. */
export function exactlyOnceSink(parts: SimulatedSinkParts): Sink<unknown> {
  return {
    type: 'simulated',
    guarantee: 'exactly-once',
    createWriter: (context) => new ExactlyOnceWriter(parts, context),
  };
}

/** A sink whose rows are seen as soon as they are flushed, and again after a failure. */
export function atLeastOnceSink(parts: SimulatedSinkParts): Sink<unknown> {
  return {
    type: 'simulated',
    guarantee: 'at-least-once',
    createWriter: ({ operatorId }) => new AtLeastOnceWriter(parts, operatorId),
  };
}

/** A row as it is compared. */
function rowText(value: unknown, timestampMs: number): string {
  return `${JSON.stringify(value)} @${timestampMs}`;
}

/** The rows of a batch as they are compared. */
export function textsOf({ values, timestamps, count }: RecordBatch): string[] {
  return Array.from({ length: count }, (_, i) => rowText(values[i], timestamps[i]!));
}

/** A call of the destination: it happens at one pick, and its answer comes at another one. */
export async function callDestination(
  parts: SimulatedSinkParts,
  what: string,
  act: () => void,
): Promise<void> {
  const { process, delayMs, onViolation } = parts;
  await process.wait(what, delayMs());
  try {
    act();
  } catch (error) {
    onViolation(error);
    throw error;
  }
  await process.wait(`${what} answered`, 0);
}

/** Takes a batch: at once, or in its own time. */
export function slowly(
  { process, writeMs = 0 }: SimulatedSinkParts,
  take: () => void,
): Promise<void> | undefined {
  if (writeMs > 0) return process.wait('write', writeMs).then(take);
  take();
  return undefined;
}

interface Prepared {
  readonly checkpoint: number;
  readonly id: string;
}

class ExactlyOnceWriter implements SinkWriter {
  private readonly parts: SimulatedSinkParts;
  private readonly context: SinkContext;
  private rows: string[] = [];
  private unpublished: Prepared[] = [];

  constructor(parts: SimulatedSinkParts, context: SinkContext) {
    this.parts = parts;
    this.context = context;
  }

  async open(): Promise<void> {
    const { restored, operatorId } = this.context;
    const { destination } = this.parts;
    const prepared = (restored?.prepared ?? []).flatMap((part) => (part ?? []) as Prepared[]);
    for (const { id } of prepared) {
      await callDestination(this.parts, `publish ${id}`, () => destination.publish(id));
    }
    const needed = new Set(prepared.map(({ id }) => id));
    await callDestination(this.parts, `abort ${operatorId}`, () => {
      destination.abortOthers(operatorId, needed, restored?.checkpoint ?? 0);
    });
  }

  write(batch: RecordBatch): Promise<void> | undefined {
    return slowly(this.parts, () => this.rows.push(...textsOf(batch)));
  }

  async prepare(checkpoint: number): Promise<unknown> {
    const { operatorId, env } = this.context;
    if (this.rows.length > 0) {
      const rows = this.rows;
      this.rows = [];
      const random = Math.floor(env.random.next() * 2 ** 48).toString(16);
      const id = `${operatorId}-${checkpoint}-${random}`;
      const { destination } = this.parts;
      await callDestination(this.parts, `prepare ${id}`, () =>
        destination.prepare(id, { sink: operatorId, checkpoint, rows }),
      );
      this.unpublished.push({ checkpoint, id });
    }
    return [...this.unpublished];
  }

  async committed(checkpoint: number): Promise<void> {
    while ((this.unpublished[0]?.checkpoint ?? Infinity) <= checkpoint) {
      const { id } = this.unpublished[0]!;
      await callDestination(this.parts, `publish ${id}`, () => this.parts.destination.publish(id));
      this.unpublished.shift();
    }
  }
}

class AtLeastOnceWriter implements SinkWriter {
  private readonly parts: SimulatedSinkParts;
  private readonly id: string;
  private rows: string[] = [];

  constructor(parts: SimulatedSinkParts, id: string) {
    this.parts = parts;
    this.id = id;
  }

  write(batch: RecordBatch): Promise<void> | undefined {
    return slowly(this.parts, () => this.rows.push(...textsOf(batch)));
  }

  async flush(): Promise<void> {
    const { rows } = this;
    if (rows.length === 0) return;
    this.rows = [];
    await callDestination(this.parts, `append ${this.id}`, () => {
      this.parts.destination.append(this.id, rows);
    });
  }
}
