import type {
  RecordBatch,
  Sink,
  SinkContext,
  SinkWriter,
  StagedBlob,
  StagingWriter,
} from '@millrace/core/spi';
import { callDestination, type SimulatedSinkParts, slowly, textsOf } from './simulated-sinks.js';

/** A sink whose rows wait in the checkpoint store until they are published, each once. */
export function stagedSink(parts: SimulatedSinkParts): Sink<unknown> {
  return {
    type: 'simulated',
    guarantee: 'exactly-once',
    createWriter: (context) => new StagedWriter(parts, context),
  };
}

/** What is prepared: by their places, blobs and what they are published as. */
interface Prepared {
  readonly staged: readonly StagedBlob[];
  readonly outputs: readonly Output[];
}

interface Output {
  readonly checkpoint: number;
  readonly id: string;
}

class StagedWriter implements SinkWriter {
  private readonly parts: SimulatedSinkParts;
  private readonly context: SinkContext;
  private current: StagingWriter | undefined;
  private unpublished: { readonly blob: StagedBlob; readonly output: Output }[] = [];

  constructor(parts: SimulatedSinkParts, context: SinkContext) {
    this.parts = parts;
    this.context = context;
  }

  async open(): Promise<void> {
    for (const part of this.context.restored?.prepared ?? []) {
      const { staged, outputs } = (part ?? { staged: [], outputs: [] }) as Prepared;
      for (const [at, blob] of staged.entries()) await this.publish(blob, outputs[at]!);
    }
  }

  async write(batch: RecordBatch): Promise<void> {
    await slowly(this.parts, () => undefined);
    const texts = textsOf(batch);
    this.current ??= await this.context.staging!.create();
    await this.current.write(new TextEncoder().encode(texts.map((text) => `${text}\n`).join('')));
  }

  async prepare(checkpoint: number): Promise<Prepared> {
    if (this.current !== undefined) {
      const blob = await this.current.complete();
      this.current = undefined;
      const random = Math.floor(this.context.env.random.next() * 2 ** 48).toString(16);
      const id = `${this.context.operatorId}-${checkpoint}-${random}`;
      this.unpublished.push({ blob, output: { checkpoint, id } });
    }
    return {
      staged: this.unpublished.map(({ blob }) => blob),
      outputs: this.unpublished.map(({ output }) => output),
    };
  }

  async committed(checkpoint: number): Promise<void> {
    while ((this.unpublished[0]?.output.checkpoint ?? Infinity) <= checkpoint) {
      const { blob, output } = this.unpublished[0]!;
      await this.publish(blob, output);
      this.unpublished.shift();
    }
  }

  async close(): Promise<void> {
    await this.current?.abort();
  }

  private async publish(blob: StagedBlob, { id }: Output): Promise<void> {
    const { context, parts } = this;
    const bytes = await context.staging!.read(blob, 0, blob.bytes);
    const rows = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
    await callDestination(parts, `publish ${id}`, () => {
      parts.destination.publishOnce(id, context.operatorId, rows);
    });
  }
}
